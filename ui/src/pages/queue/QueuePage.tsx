import { Drawer, Button } from '@mantine/core';
import { useState } from 'react';
import { useLimits, useQueue } from '../../api/queries';
import type { QueueEntry } from '../../api/types';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { PageHead } from '../../components/PageHead';
import { needsSomeone } from '../../lib/status';
import { distance } from '../../lib/time';
import { useMedium, useNarrow } from '../../lib/useNarrow';
import { HoldDialog } from './HoldDialog';
import { LimitsPanel } from './LimitsPanel';
import { LimitsStrip } from './LimitsStrip';
import { NothingWaits } from './NothingWaits';
import { QueueList } from './QueueList';
import { QueueTable } from './QueueTable';
import { useQueueActs } from './useQueueActs';
import classes from './QueuePage.module.css';

export function QueuePage() {
  const queue = useQueue();
  const limits = useLimits();
  const acts = useQueueActs();
  const narrow = useNarrow();
  const medium = useMedium();
  const [limitsOpen, setLimitsOpen] = useState(false);
  const panel = <Loaded query={limits}>{(found) => <LimitsPanel limits={found} />}</Loaded>;
  return (
    <>
      <PageHead
        title="Queue"
        name="Queue"
        aside={medium && !narrow && <Button onClick={() => setLimitsOpen(true)}>Limits in use</Button>}
      >
        {queue.data && <Summary entries={queue.data} />}
      </PageHead>
      {acts.refusal && <Notice tone="fail">{acts.refusal}</Notice>}
      {narrow && limits.data && <LimitsStrip limits={limits.data} />}
      <div className={classes.columns}>
        <div className={classes.main}>
          <Loaded query={queue}>
            {(entries) =>
              entries.length === 0 ? (
                <NothingWaits limits={limits.data ?? []} />
              ) : narrow ? (
                <QueueList entries={entries} acts={acts} />
              ) : (
                <QueueTable entries={entries} acts={acts} />
              )
            }
          </Loaded>
        </div>
        {!medium && <aside className={classes.side}>{panel}</aside>}
      </div>
      <Drawer opened={limitsOpen} onClose={() => setLimitsOpen(false)} position="right" size={292} title="Limits in use">
        {panel}
      </Drawer>
      <HoldDialog entry={acts.holding} onClose={acts.stopHolding} onHold={acts.hold} />
    </>
  );
}

function Summary({ entries }: { entries: QueueEntry[] }) {
  if (entries.length === 0) return <span>nothing waiting</span>;
  const stuck = entries.filter((entry) => needsSomeone(entry.reason)).length;
  const coming = entries.length - stuck;
  const oldest = Math.max(...entries.map((entry) => entry.waiting_seconds)) * 1000;
  const parts = [
    coming > 0 && `${coming} will start in this order`,
    stuck > 0 && `${stuck} ${stuck === 1 ? 'stays' : 'stay'} until someone acts`,
  ].filter(Boolean);
  return (
    <span>
      {parts.join(', ')}. Oldest waits {distance(oldest)}
    </span>
  );
}
