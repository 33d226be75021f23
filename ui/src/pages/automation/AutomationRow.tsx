import { Switch } from '@mantine/core';
import { IconAccessPoint, IconClock } from '@tabler/icons-react';
import { Link } from 'react-router';
import { clock, distance, fullTime, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { jobPath } from '../jobs/jobPaths';
import { isOn, nextTick, when, whenTitle, type Item } from './items';
import { LastResult } from './TickResult';
import { TickStrip } from './TickStrip';
import classes from './Automation.module.css';

interface AutomationRowProps {
  item: Item;
  open: boolean;
  cursor: boolean;
  readOnly: boolean;
  onCursor: () => void;
  onToggle: () => void;
  onUnfold: () => void;
}

export function AutomationRow({ item, open, cursor, readOnly, onCursor, onToggle, onUnfold }: AutomationRowProps) {
  const { instigator, kind } = item;
  const now = useNow();
  const Icon = kind === 'schedules' ? IconClock : IconAccessPoint;
  const last = millis(instigator.last_tick?.time);
  return (
    <tr className={cursor ? 'cursor' : ''} onClick={onCursor} data-instigator={instigator.name} data-status={instigator.status}>
      <td className="control">
        <Switch checked={isOn(instigator)} disabled={readOnly || instigator.problem !== null} onChange={onToggle} aria-label={`${instigator.name} is on`} />
      </td>
      <td className="name">
        <button type="button" className={classes.unfold} onClick={onUnfold} aria-expanded={open} title={instigator.description ?? undefined}>
          <Icon size={14} stroke={1.7} aria-label={kind === 'schedules' ? 'schedule' : 'sensor'} />
          <span className={isOn(instigator) ? '' : 'dim-2'}>{instigator.name}</span>
        </button>
      </td>
      <td className="dim-2 minor">
        {instigator.job_names.map((job) => (
          <Link key={job} to={jobPath(instigator.location, job)}>
            {job}{' '}
          </Link>
        ))}
      </td>
      <td className="dim-2" title={whenTitle(instigator)}>
        {when(instigator)}
      </td>
      <td className="num">
        <NextTick at={nextTick(instigator)} now={now} />
      </td>
      <td className="num dim-2" title={last === null ? undefined : fullTime(last)}>
        {last === null ? '–' : clock(last, now)}
      </td>
      <td>
        <LastResult instigator={instigator} on={isOn(instigator)} />
      </td>
      <td className="minor control">
        <TickStrip item={item} />
      </td>
    </tr>
  );
}

function NextTick({ at, now }: { at: number | null; now: number }) {
  if (at === null) return <>–</>;
  return (
    <>
      {clock(at, now)}
      <span className={`dim ${classes.distance}`}>{at > now ? distance(at - now) : 'now'}</span>
    </>
  );
}
