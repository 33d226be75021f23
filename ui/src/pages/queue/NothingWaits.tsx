import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { useInstigators } from '../../api/queries';
import type { Limit } from '../../api/queueTypes';
import type { Instigator } from '../../api/types';
import { EmptyState } from '../../components/EmptyState';
import { clock, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';

/** An empty queue says what a run that is asked for now would meet, and what comes next by itself. */
export function NothingWaits({ limits }: { limits: Limit[] }) {
  const schedules = useInstigators('schedules').data ?? [];
  const now = useNow();
  const slots = limits.find((limit) => limit.kind === 'max_concurrent_runs');
  const next = nextOf(schedules);
  return (
    <EmptyState
      title="Nothing waits"
      action={
        <>
          <Button component={Link} to="/jobs">
            Launch a job
          </Button>
          <Button component={Link} to="/automation" variant="subtle" color="gray">
            Schedules and sensors
          </Button>
        </>
      }
    >
      {slots && !slots.full && (
        <p>
          {slots.used} of {slots.limit} run slots {slots.used === 1 ? 'is' : 'are'} in use, so a run that is asked for now starts at once.
        </p>
      )}
      {slots && slots.full && <p>All {slots.limit} run slots are in use; a run that is asked for now waits for one.</p>}
      {!slots && <p>No limit on runs is set, so a run that is asked for now starts at once.</p>}
      {next && (
        <p>
          Next: {next.instigator.job_names.join(', ')} by <Link className="link" to="/automation">{next.instigator.name}</Link> at{' '}
          {clock(next.at, now)}.
        </p>
      )}
    </EmptyState>
  );
}

function nextOf(schedules: Instigator[]): { instigator: Instigator; at: number } | null {
  const coming = schedules.flatMap((instigator) => {
    const at = millis(instigator.next_tick_at);
    return at === null ? [] : [{ instigator, at }];
  });
  return coming.sort((a, b) => a.at - b.at)[0] ?? null;
}
