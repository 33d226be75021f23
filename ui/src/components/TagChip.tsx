import { PRIORITY_TAG } from '../lib/tags';
import { spellTag } from '../lib/tagText';
import classes from './TagChip.module.css';

/** `team=docs` as a small mono chip; the long key of the priority is shortened. */
export function TagChip({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) {
  const shown = name === PRIORITY_TAG ? 'priority' : name;
  return (
    <span className={`${classes.chip} ${strong ? classes.outlined : ''}`} title={spellTag(name, value)}>
      {shown}=<b>{value}</b>
    </span>
  );
}
