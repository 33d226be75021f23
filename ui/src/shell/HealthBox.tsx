import { Link } from 'react-router';
import { useDaemons, useLocations } from '../api/queries';
import { Glyph } from '../components/Glyph';
import { useNarrow } from '../lib/useNarrow';
import { healthItems } from './health';
import classes from './HealthBox.module.css';

const SHOWN = 3;

/** Daemons and code locations at a glance; on a phone only the worst one. */
export function HealthBox() {
  const items = healthItems(useDaemons().data ?? [], useLocations().data ?? []);
  const narrow = useNarrow();
  const worst = items.find((item) => item.level === 'fail') ?? items.find((item) => item.level === 'wait') ?? items[0];
  const shown = narrow ? (worst ? [worst] : []) : items.slice(0, SHOWN);
  if (shown.length === 0) return null;
  return (
    <div className={`${classes.box} ${narrow && worst?.level === 'fail' ? classes.alarm : ''}`}>
      {shown.map((item) => (
        <Link key={item.text} to={item.to} className={classes[item.level]}>
          <Glyph name={item.glyph} />
          <span>{item.text}</span>
        </Link>
      ))}
      {items.length > shown.length && !narrow && <span className={classes.more}>{items.length - shown.length} more</span>}
    </div>
  );
}
