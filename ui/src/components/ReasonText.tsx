import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Reason } from '../api/queueTypes';
import { shortId, subjectName } from '../lib/words';
import { RunLink } from './RunLink';

/** Where a person mends what keeps the run. */
const MEND: Partial<Record<Reason['kind'], { to: string; words: string }>> = {
  location_unavailable: { to: '/deployment/locations', words: 'see error' },
  no_queue_daemon: { to: '/deployment/daemons', words: 'see daemons' },
};

/** The server's sentence with the rule in bold and the ids of the holders as links. */
export function ReasonText({ reason }: { reason: Reason }) {
  const mend = MEND[reason.kind];
  return (
    <>
      <span data-reason>{marked(reason)}</span>
      {mend && (
        <>
          {' '}
          <Link className="link" to={mend.to}>
            {mend.words}
          </Link>
        </>
      )}
    </>
  );
}

function marked(reason: Reason): ReactNode[] {
  const names = new Map<string, ReactNode>();
  const subject = reason.pause && reason.pause.scope !== 'queue' ? subjectName(reason.pause.subject) : reason.rule;
  if (subject) names.set(subject, <b className="strong">{subject}</b>);
  const error = reason.kind === 'location_unavailable' && reason.message.match(/fails to load: (\w+)/)?.[1];
  if (error) names.set(error, <span className="mono fail">{error}</span>);
  for (const id of reason.holders) {
    const link = <RunLink runId={id} />;
    names.set(id, link);
    names.set(shortId(id), link);
  }
  if (names.size === 0) return [reason.message];
  const pattern = [...names.keys()].sort((a, b) => b.length - a.length).map(escaped).join('|');
  return reason.message.split(new RegExp(`(${pattern})`)).map((part, index) => (
    <span key={index}>{names.get(part) ?? part}</span>
  ));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
