import { Modal } from '@mantine/core';
import { useExplained } from '../../api/queueQueries';
import type { Explained, Holder, QueueEntry } from '../../api/queueTypes';
import { DialogHead } from '../../components/DialogHead';
import { Glyph } from '../../components/Glyph';
import { Loaded } from '../../components/Loaded';
import { ReasonText } from '../../components/ReasonText';
import { RunLink } from '../../components/RunLink';
import { reasonLook } from '../../lib/status';
import { clock, elapsed, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { count, grouped, shortId } from '../../lib/words';
import { Alternatives } from './SoonerPanel';
import type { QueueActs } from './useQueueActs';
import classes from './WhyDialog.module.css';

interface WhyDialogProps {
  entry: QueueEntry | null;
  onClose: () => void;
  acts: QueueActs;
  accuracy: string | null;
}

/** All that is known of why a run waits. */
export function WhyDialog({ entry, onClose, acts, accuracy }: WhyDialogProps) {
  const query = useExplained(entry?.run_id ?? null);
  return (
    <Modal opened={entry !== null} onClose={onClose} size={620}>
      {entry && (
        <>
          <DialogHead title={`Why ${entry.job_name} waits`} about={<span className="mono">{shortId(entry.run_id)}</span>} onClose={onClose} />
          <Loaded query={query}>{(found) => <Why found={found} acts={acts} accuracy={accuracy} />}</Loaded>
        </>
      )}
    </Modal>
  );
}

function Why({ found, acts, accuracy }: { found: Explained; acts: QueueActs; accuracy: string | null }) {
  const look = reasonLook(found.reason);
  return (
    <div className={classes.body}>
      <p className={classes.reason}>
        <Glyph name={look.glyph} tone={look.tone} />
        <span>
          <ReasonText reason={found.reason} />
        </span>
      </p>
      <Place found={found} accuracy={accuracy} />
      {found.reason.holder_details.length > 0 && <Holders holders={found.reason.holder_details} />}
      {found.overtaken.total > 0 && <OvertakenBy found={found} />}
      {found.sooner.length > 1 && (
        <>
          <h3>What would start it sooner</h3>
          <Alternatives found={found.sooner} entry={found} acts={acts} />
        </>
      )}
    </div>
  );
}

function Place({ found, accuracy }: { found: Explained; accuracy: string | null }) {
  const now = useNow();
  const start = millis(found.estimated_start);
  return (
    <p className="dim-2">
      {found.position !== null && `Place ${grouped(found.position)} by priority and age`}
      {found.forecast_position !== null && `, ${grouped(found.forecast_position)} in the order of starts`}
      {start !== null && `, about ${clock(start, now, { seconds: false })}`}
      {start !== null && accuracy && ` (${accuracy})`}
      {found.position !== null && '.'}
    </p>
  );
}

function Holders({ holders }: { holders: Holder[] }) {
  const now = useNow();
  return (
    <>
      <h3>Held by</h3>
      <ul>
        {holders.map((holder) => (
          <li key={`${holder.run_id} ${holder.step_key}`} className={classes.holder}>
            <RunLink runId={holder.run_id} /> {holder.job_name}
            {holder.step_key && <span className="mono dim"> › {holder.step_key}</span>}
            {holder.slots > 1 && <span className="dim"> {count(holder.slots, 'slot')}</span>}
            <span className={classes.since}>for {elapsed(now - (millis(holder.since) ?? now))}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function OvertakenBy({ found }: { found: Explained }) {
  const { total, at_least: more, by_priority: priority, examples } = found.overtaken;
  return (
    <>
      <h3>Overtaken</h3>
      <p className="dim-2">
        {more && 'At least '}
        {count(total, 'run')} that came later {total === 1 ? 'has' : 'have'} started, {grouped(priority)} for a higher priority:{' '}
        {examples.map((id) => (
          <span key={id}>
            <RunLink runId={id} />{' '}
          </span>
        ))}
      </p>
    </>
  );
}
