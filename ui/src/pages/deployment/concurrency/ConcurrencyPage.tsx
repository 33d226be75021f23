import { Button, Drawer } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { messageOf } from '../../../api/client';
import { useInstance, useJobs } from '../../../api/queries';
import { usePause, useSetLimit, type LimitRequest } from '../../../api/queueActions';
import { useIdleLimits, useLimits, useLimitsInForce } from '../../../api/queueQueries';
import type { IdleLimit, Limit, LimitInForce } from '../../../api/queueTypes';
import { Loaded } from '../../../components/Loaded';
import { Notice } from '../../../components/Notice';
import { useCursor } from '../../../keys/useCursor';
import { usePageKeys } from '../../../keys/usePageKeys';
import { ruleParts } from '../../../lib/tagText';
import { useMedium, useNarrow } from '../../../lib/useNarrow';
import { count } from '../../../lib/words';
import { PauseDialog, type PauseQuestion } from '../../queue/PauseDialog';
import { DeploymentHead } from '../DeploymentHead';
import { AddPoolDialog } from './AddPoolDialog';
import { LimitDetail } from './LimitDetail';
import { sections, titleOf, type LimitRow } from './limitRows';
import { LimitsList } from './LimitsList';
import { LimitsTable } from './LimitsTable';
import { RecentChanges } from './RecentChanges';
import classes from './Concurrency.module.css';

const IDLE_SHOWN = 3;

export default function ConcurrencyPage() {
  const inForce = useLimitsInForce();
  const uses = useLimits();
  const readOnly = useInstance().data?.read_only ?? false;
  const [adding, setAdding] = useState(false);
  const aside = (
    <>
      <Button component={Link} to="/queue/what-if">
        What if…
      </Button>
      {!readOnly && (
        <Button variant="filled" leftSection={<IconPlus size={14} stroke={1.7} />} onClick={() => setAdding(true)}>
          Add pool
        </Button>
      )}
    </>
  );
  return (
    <>
      <DeploymentHead name="Concurrency" aside={aside} />
      <Loaded query={inForce}>
        {(settable) => (
          <Loaded query={uses}>
            {(found) => <Limits settable={settable} uses={found} readOnly={readOnly} adding={adding} setAdding={setAdding} />}
          </Loaded>
        )}
      </Loaded>
    </>
  );
}

/** What the server said of the last act: a refusal, or a note. */
interface Answer {
  tone: 'fail' | 'wait';
  text: string;
}

interface LimitsProps {
  settable: LimitInForce[];
  uses: Limit[];
  readOnly: boolean;
  adding: boolean;
  setAdding: (adding: boolean) => void;
}

function Limits({ settable, uses, readOnly, adding, setAdding }: LimitsProps) {
  const shown = sections(settable, uses, useJobs().data ?? []);
  const rows = shown.flatMap((section) => section.rows);
  const cursor = useCursor(rows, (row) => row.id);
  const [editing, setEditing] = useState<string | null>(null);
  const [pausing, setPausing] = useState<PauseQuestion | null>(null);
  const [open, setOpen] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [setLimit, pause] = [useSetLimit(), usePause()];
  const idle = useIdleLimits().data ?? [];
  const told = {
    onError: (error: Error) => setAnswer({ tone: 'fail', text: messageOf(error) }),
    onSuccess: ({ note }: { note: string | null }) => setAnswer(note === null ? null : { tone: 'wait', text: note }),
  };
  const set = (request: LimitRequest) => setLimit.mutate(request, told);
  const file = useInstance().data?.configuration_file?.split('/').pop() ?? 'the defaults';
  const medium = useMedium();
  const narrow = useNarrow();
  const chosen = cursor.row ?? rows.find((row) => row.use?.waiting) ?? rows[0];
  const choose = (id: string) => {
    cursor.set(id);
    setOpen(true);
  };
  usePageKeys([
    cursor.move,
    { on: ['e'], show: ['E'], label: 'edit limit', act: () => !readOnly && chosen?.settable && setEditing(chosen.id) },
    { on: ['a'], show: ['A'], label: 'add pool', act: () => !readOnly && setAdding(true) },
    { on: ['p'], show: ['P'], label: 'pause…', act: () => !readOnly && chosen && setPausing(pauseOf(chosen)) },
  ]);
  const detail = chosen && (
    <LimitDetail
      row={chosen}
      readOnly={readOnly}
      onPause={(row) => setPausing(pauseOf(row))}
      onTakeBack={({ kind, name }) => set({ kind, name, limit: null })}
    />
  );
  return (
    <>
      {answer && <Notice tone={answer.tone}>{answer.text}</Notice>}
      {idle.length > 0 && <IdleLimits idle={idle} />}
      <div className={classes.columns}>
        <div className={classes.main}>
          {narrow ? (
            <LimitsList sections={shown} onOpen={choose} />
          ) : (
            <LimitsTable
              sections={shown}
              readOnly={readOnly}
              file={file}
              cursor={chosen?.id ?? null}
              onCursor={choose}
              editing={editing}
              onEdit={setEditing}
              onSet={({ settable: limit }, value) => limit && set({ kind: limit.kind, name: limit.name, limit: value })}
            />
          )}
          <RecentChanges />
        </div>
        {!medium && <aside className={classes.side}>{detail}</aside>}
      </div>
      {medium && (
        <Drawer opened={open && editing === null} onClose={() => setOpen(false)} position="right" size={372} title="Limit">
          {detail}
        </Drawer>
      )}
      <AddPoolDialog opened={adding} onClose={() => setAdding(false)} onAdd={(name, limit) => set({ kind: 'pool', name, limit })} />
      <PauseDialog question={pausing} onClose={() => setPausing(null)} onPause={(request) => pause.mutate(request, told)} />
    </>
  );
}

/** Limits that count nothing look as if they protected something. */
function IdleLimits({ idle }: { idle: IdleLimit[] }) {
  const more = idle.length - IDLE_SHOWN;
  return (
    <>
      {idle.slice(0, IDLE_SHOWN).map(({ message }) => (
        <Notice key={message} tone="wait">
          {message}
        </Notice>
      ))}
      {more > 0 && (
        <Notice tone="wait">
          {count(more, 'more limit')} {more === 1 ? 'matches' : 'match'} nothing: <span className="mono">runyard instance info</span> lists them.
        </Notice>
      )}
    </>
  );
}

/** What pausing a limit means: the pool, what has the tag's value, or everything. */
function pauseOf({ settable }: LimitRow): PauseQuestion {
  if (settable?.kind === 'pool') return { what: 'pool', name: settable.name };
  if (settable?.kind !== 'tag') return { what: 'queue' };
  const { key, value } = ruleParts(settable.name);
  if (value === null) return { what: 'queue' };
  if (key === 'runyard/job') return { what: 'job', name: value };
  if (key === 'runyard/location') return { what: 'location', name: value };
  return { what: 'tag', name: titleOf(settable) };
}
