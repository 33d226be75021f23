import { Button } from '@mantine/core';
import type { PauseInForce } from '../../api/queueTypes';
import { Glyph } from '../../components/Glyph';
import { Notice } from '../../components/Notice';
import { clock, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { capitalised, count, subjectName } from '../../lib/words';
import type { QueueActs } from './useQueueActs';

/** What is paused or drained: who, since when, why, until when, and the way out. */
export function PauseBanners({ pauses, acts }: { pauses: PauseInForce[]; acts: QueueActs }) {
  return pauses.map((pause) => (
    <Notice
      key={pause.subject}
      tone="hold"
      action={
        !acts.readOnly && (
          <Button size="compact-sm" onClick={() => acts.resume(pause)} aria-label={`Resume ${subjectName(pause.subject)}`}>
            Resume
          </Button>
        )
      }
    >
      <Glyph name="held" /> <PauseSentence pause={pause} />
    </Notice>
  ));
}

function PauseSentence({ pause }: { pause: PauseInForce }) {
  const now = useNow();
  const since = millis(pause.since) ?? now;
  const until = millis(pause.until);
  const subject = pause.scope === 'queue' ? 'The queue is' : `${pause.scope === 'tag' ? subjectName(pause.subject) : capitalised(pause.subject)} is`;
  return (
    <>
      <b className="strong">
        {subject} {pause.drain ? 'drained' : 'paused'}
      </b>{' '}
      by {pause.by} since {clock(since, now, { seconds: false })}
      {until === null ? ', until somebody resumes it' : `, until ${clock(until, now, { seconds: false })}`}
      {pause.reason && `: “${pause.reason}”`}
      {pause.drain && (pause.running ? `. ${count(pause.running, 'run')} still to end` : '. Drained: nothing of it runs any more')}
    </>
  );
}
