import { Button } from '@mantine/core';
import { useMemo, useRef, useState, type Ref } from 'react';
import { Link, useSearchParams } from 'react-router';
import { messageOf } from '../../api/client';
import { useRuns } from '../../api/queries';
import { useQueue } from '../../api/queueQueries';
import { EmptyState } from '../../components/EmptyState';
import { Notice } from '../../components/Notice';
import { PageHead } from '../../components/PageHead';
import { QueryField } from '../../components/QueryField';
import { TerminateDialog } from '../../components/TerminateDialog';
import { useCursor } from '../../keys/useCursor';
import { useNarrow } from '../../lib/useNarrow';
import { useSelection } from '../../lib/useSelection';
import { count } from '../../lib/words';
import { CountsLine } from './CountsLine';
import { chipsOf, chipText, parseChip, requestOf, searchOf, type Chip } from './filters';
import { RunsBulkBar, ToldBar } from './RunsBulkBar';
import { RunsList } from './RunsList';
import { RunsTable } from './RunsTable';
import { RunsTabs } from './RunsTabs';
import { useRunsActs, type RunsActs } from './useRunsActs';
import { useRunsKeys } from './useRunsKeys';
import { useSettledRuns } from './useSettledRuns';
import classes from './RunsPage.module.css';

export function RunsPage() {
  const [search, setSearch] = useSearchParams();
  const chips = useMemo(() => chipsOf(search), [search]);
  const query = useRuns(requestOf(chips));
  const found = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data]);
  const entries = useQueue().data;
  const queue = useMemo(() => new Map((entries ?? []).map((entry) => [entry.run_id, entry])), [entries]);
  const [reading, setReading] = useState(false);
  const { shown, newer, showNewer } = useSettledRuns(found, reading);
  const cursor = useCursor(shown, (run) => run.run_id);
  const selection = useSelection(shown.map((run) => run.run_id));
  const acts = useRunsActs(selection.none);
  const selected = shown.filter((run) => selection.chosen.has(run.run_id));
  const bar = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const narrow = useNarrow();

  useRunsKeys({ cursor, selection, readOnly: acts.readOnly, bar, field });

  const more = () => {
    if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
  };
  const some = query.hasNextPage ? `${count(shown.length, 'run')}, more as you scroll` : count(shown.length, 'run');
  return (
    <>
      <PageHead
        title="Runs"
        name="Runs"
        tabs={<RunsTabs chips={chips} />}
        aside={!narrow && <TerminateAll acts={acts} />}
      />
      <Filter field={field} chips={chips} onChange={(next) => setSearch(searchOf(next))} found={some} />
      {acts.told && <ToldBar told={acts.told} onClose={acts.forget} />}
      {!narrow && <RunsBulkBar ref={bar} runs={selected} acts={acts} onClear={selection.none} />}
      <TerminateDialog question={acts.question} onClose={acts.dismiss} />
      {query.isError && <Notice tone="fail">{messageOf(query.error)}</Notice>}
      {query.isSuccess && shown.length === 0 && <NoRuns filtered={chips.length > 0} />}
      {shown.length > 0 && narrow && (
        <div className={classes.list}>
          <RunsList runs={shown} queue={queue} more={query.hasNextPage} onEnd={more} />
        </div>
      )}
      {shown.length > 0 && !narrow && (
        <RunsTable
          runs={shown}
          queue={queue}
          cursor={cursor.id}
          onCursor={cursor.set}
          onReading={setReading}
          selection={acts.readOnly ? null : selection}
          onEnd={more}
          newer={newer > 0 && <NewerRuns amount={newer} onShow={showNewer} />}
        />
      )}
      {!narrow && (
        <div className={classes.foot}>
          <span>{`${shown.length} shown${query.hasNextPage ? ', more load as you scroll' : ''}`}</span>
          <CountsLine />
        </div>
      )}
    </>
  );
}

interface FilterProps {
  field: Ref<HTMLInputElement>;
  chips: Chip[];
  onChange: (chips: Chip[]) => void;
  found: string;
}

function Filter({ field, chips, onChange, found }: FilterProps) {
  return (
    <div className={classes.filter}>
      <QueryField
        ref={field}
        words={chips.map(chipText)}
        onChange={(words) => onChange(words.map(parseChip).filter((chip): chip is Chip => chip !== null))}
        refusalOf={refusalOf}
        label="Filter runs"
        placeholder="status: job: tag=value, or the beginning of an id"
        found={found}
      />
    </div>
  );
}

function TerminateAll({ acts }: { acts: RunsActs }) {
  if (acts.readOnly || acts.unfinished === 0) return null;
  return (
    <Button onClick={acts.askToTerminateAll} loading={acts.busy}>
      Terminate all…
    </Button>
  );
}

function refusalOf(word: string): string | null {
  if (parseChip(word)) return null;
  return `No status is called ${word.slice('status:'.length)}: running, waiting, failed, success, canceled`;
}

function NewerRuns({ amount, onShow }: { amount: number; onShow: () => void }) {
  return (
    <button type="button" className={classes.newer} onClick={onShow}>
      {count(amount, 'newer run')}
    </button>
  );
}

function NoRuns({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState title="No run fits this filter" action={<Button component={Link} to="/runs">Show all runs</Button>}>
        Runs that fit show up here by themselves.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No run yet" action={<Button component={Link} to="/jobs">Launch a job</Button>}>
      A run appears here when a schedule or sensor asks for one, or when somebody launches a job.
    </EmptyState>
  );
}
