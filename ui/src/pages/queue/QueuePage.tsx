import { Button, Drawer } from '@mantine/core';
import { useRef, useState } from 'react';
import { Link } from 'react-router';
import { useLimits, useQueueSummary } from '../../api/queueQueries';
import type { QueueEntry } from '../../api/queueTypes';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { PageHead } from '../../components/PageHead';
import { QueryField } from '../../components/QueryField';
import { useCursor } from '../../keys/useCursor';
import { useMedium, useNarrow } from '../../lib/useNarrow';
import { grouped } from '../../lib/words';
import { BulkBar, type BulkTarget } from './BulkBar';
import { LimitsPanel } from './LimitsPanel';
import { LimitsStrip } from './LimitsStrip';
import { NothingWaits } from './NothingWaits';
import { PauseBanners } from './PauseBanners';
import { PauseDialog, type PauseQuestion } from './PauseDialog';
import { PauseMenu } from './PauseMenu';
import { QueueFoot } from './QueueFoot';
import { QueueList } from './QueueList';
import { QueueTable } from './QueueTable';
import { refusalOf } from './queueFilter';
import { SoonerPanel } from './SoonerPanel';
import { StarvationPanel } from './StarvationPanel';
import { SteerDialog } from './SteerDialog';
import { SummaryLine } from './SummaryLine';
import { useBulk } from './useBulk';
import { useQueueActs, type QueueActs } from './useQueueActs';
import { useQueueKeys } from './useQueueKeys';
import { useQueueRows } from './useQueueRows';
import { useSelection } from '../../lib/useSelection';
import { WhyDialog } from './WhyDialog';
import panels from './Panels.module.css';
import classes from './QueuePage.module.css';

type Rows = ReturnType<typeof useQueueRows>;

export function QueuePage() {
  const rows = useQueueRows();
  const summary = useQueueSummary().data;
  const acts = useQueueActs();
  const narrow = useNarrow();
  const medium = useMedium();
  const [pausing, setPausing] = useState<PauseQuestion | null>(null);
  const [why, setWhy] = useState<QueueEntry | null>(null);
  const [limitsOpen, setLimitsOpen] = useState(false);
  const limits = useLimits();
  const panel = <Loaded query={limits}>{(found) => <LimitsPanel limits={found} />}</Loaded>;
  return (
    <>
      <PageHead
        title="Queue"
        name="Queue"
        aside={
          <>
            {!narrow && summary && <span>{grouped(summary.started_last_hour)} started in the last hour</span>}
            {medium && !narrow && <Button onClick={() => setLimitsOpen(true)}>Limits in use</Button>}
            {!acts.readOnly && <PauseMenu onChoose={(what) => setPausing({ what })} narrow={narrow} />}
            {!acts.readOnly && !narrow && <Button onClick={() => setPausing({ what: 'queue', drain: true })}>Drain</Button>}
            {!narrow && (
              <Button component={Link} to="/queue/what-if">
                What if…
              </Button>
            )}
          </>
        }
      >
        {summary && rows.query.data && <SummaryLine summary={summary} entries={rows.query.data} narrow={narrow} />}
      </PageHead>
      {acts.refusal && <Notice tone="fail">{acts.refusal}</Notice>}
      {acts.note && <Notice tone="wait">{acts.note}</Notice>}
      {summary && <PauseBanners pauses={summary.pauses} acts={acts} />}
      {narrow && limits.data && <LimitsStrip limits={limits.data} />}
      <div className={classes.columns}>
        <div className={classes.main}>
          <Loaded query={rows.query}>
            {(all) =>
              all.length === 0 ? (
                <NothingWaits limits={limits.data ?? []} />
              ) : narrow ? (
                <div className={classes.list}>
                  <QueueList entries={[...rows.coming, ...rows.stuck]} acts={acts} onWhy={setWhy} />
                  {summary && <QueueFoot limit={rows.limit} here={all.length} depth={summary.depth} onMore={rows.more} />}
                </div>
              ) : (
                <Desk rows={rows} acts={acts} onWhy={setWhy} onPause={() => setPausing({ what: 'queue' })} />
              )
            }
          </Loaded>
        </div>
        {!medium && <aside className={classes.side}>{panel}</aside>}
      </div>
      <Drawer opened={limitsOpen} onClose={() => setLimitsOpen(false)} position="right" size={292} title="Limits in use">
        {panel}
      </Drawer>
      <SteerDialog question={acts.question} onClose={() => acts.setQuestion(null)} />
      <PauseDialog question={pausing} onClose={() => setPausing(null)} onPause={acts.pause} />
      <WhyDialog entry={why} onClose={() => setWhy(null)} acts={acts} accuracy={summary?.estimate_error?.message ?? null} />
    </>
  );
}

interface DeskProps {
  rows: Rows;
  acts: QueueActs;
  onWhy: (entry: QueueEntry) => void;
  onPause: () => void;
}

/** The table with its filter, its bulk acts and the panels below. */
function Desk({ rows, acts, onWhy, onPause }: DeskProps) {
  const summary = useQueueSummary().data;
  const shown = [...rows.coming, ...rows.stuck];
  const cursor = useCursor(shown, (entry) => entry.run_id);
  const selection = useSelection(shown.map((entry) => entry.run_id));
  const bulk = useBulk();
  const field = useRef<HTMLInputElement>(null);
  const [filtering, setFiltering] = useState(false);
  const openFilter = () => {
    setFiltering(true);
    // The field is there once this has been drawn.
    requestAnimationFrame(() => field.current?.focus());
  };
  const choose = (entry: QueueEntry) => selection.toggle(entry.run_id);
  useQueueKeys({ move: cursor.move, row: cursor.row, acts, choose, why: onWhy, pause: onPause, filter: openFilter });

  return (
    <>
      {(filtering || rows.words.length > 0) && (
        <div className={classes.filter}>
          <QueryField
            ref={field}
            words={rows.words}
            onChange={rows.setWords}
            refusalOf={refusalOf}
            label="Filter the queue"
            placeholder="job: location: tag=value priority: held:yes"
            found={found(rows)}
          />
        </div>
      )}
      {!acts.readOnly && (
        <BulkBar
          target={target(rows, selection.chosen)}
          bulk={bulk}
          ask={acts.setQuestion}
          onClear={selection.chosen.size ? selection.none : () => rows.setWords([])}
        />
      )}
      {shown.length === 0 ? (
        <EmptyState title="None of the runs here fits this filter" action={<Button onClick={() => rows.setWords([])}>Show all</Button>}>
          {rows.fitting ? `${grouped(rows.fitting)} that fit are further back; what is done above reaches them.` : 'Runs that fit show up here by themselves.'}
        </EmptyState>
      ) : (
        <QueueTable
          coming={rows.coming}
          stuck={rows.stuck}
          acts={acts}
          cursor={cursor.id}
          onCursor={cursor.set}
          selection={selection}
          accuracy={summary?.estimate_error?.message ?? null}
          onWhy={onWhy}
          onFilter={openFilter}
          onEnd={rows.reachEnd}
          foot={summary && <QueueFoot limit={rows.limit} here={rows.query.data?.length ?? 0} depth={summary.depth} onMore={rows.more} />}
        />
      )}
      <div className={panels.panels}>
        <SoonerPanel entry={cursor.row ?? rows.coming[0]} acts={acts} />
        {summary && <StarvationPanel summary={summary} />}
      </div>
    </>
  );
}

/** What the bulk acts are about: the rows that were chosen, else everything that fits the filter. */
function target(rows: Rows, chosen: ReadonlySet<string>): BulkTarget | null {
  if (chosen.size) return { filter: { run_ids: [...chosen] }, amount: chosen.size, how: 'selected' };
  if (rows.filter && rows.fitting) return { filter: rows.filter, amount: rows.fitting, how: 'fit the filter' };
  return null;
}

function found(rows: Rows): string {
  return rows.fitting === undefined ? '' : `${grouped(rows.entries.length)} shown, ${grouped(rows.fitting)} fit`;
}
