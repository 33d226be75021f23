import { ActionIcon } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { Fragment } from 'react';
import { Link } from 'react-router';
import { Wagons } from '../../../components/Wagons';
import { clock, duration, millis } from '../../../lib/time';
import { useMedium } from '../../../lib/useNarrow';
import { useNow } from '../../../lib/useNow';
import { grouped } from '../../../lib/words';
import { LimitCell } from './LimitCell';
import type { LimitRow, Section } from './limitRows';
import classes from './Concurrency.module.css';

interface LimitsTableProps {
  sections: Section[];
  readOnly: boolean;
  /** The file that limits come from. */
  file: string;
  cursor: string | null;
  onCursor: (id: string) => void;
  editing: string | null;
  onEdit: (id: string | null) => void;
  onSet: (row: LimitRow, limit: number) => void;
}

/** Every limit with what uses it, by kind. */
export function LimitsTable(props: LimitsTableProps) {
  return (
    <table className={`table tall ${classes.table}`}>
      <colgroup>
        <col className={classes.name} />
        <col className={`${classes.counts} minor`} />
        <col />
        <col className={classes.small} />
        <col className={classes.limitColumn} />
        <col className={classes.small} />
        <col className={`${classes.wait} minor`} />
        <col className={classes.wait} />
        <col className={classes.pencil} />
      </colgroup>
      <thead>
        <tr>
          <th>Limit</th>
          <th className="minor">Counts</th>
          <th />
          <th className="num">Used</th>
          <th className="num">Limit</th>
          <th className="num">Waiting</th>
          <th className="num minor">Longest wait</th>
          <th className="num">Next free</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {props.sections.map((section) => (
          <Fragment key={section.title}>
            <SectionHead section={section} file={props.file} />
            {section.rows.map((row) => (
              <Row key={row.id} row={row} {...props} />
            ))}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function SectionHead({ section, file }: { section: Section; file: string }) {
  // A cell must not span columns that are hidden: it would open them again.
  const columns = useMedium() ? 7 : 9;
  const ofFile = section.rows.every((row) => row.settable?.origin === 'file');
  return (
    <tr className="group plain">
      <td colSpan={columns}>
        {section.title}
        <span>{section.about}</span>
        {ofFile && (
          <span className={classes.source}>
            as in{' '}
            <Link className="link" to="/deployment/configuration">
              {file}
            </Link>
          </span>
        )}
      </td>
    </tr>
  );
}

function Row({ row, readOnly, cursor, onCursor, editing, onEdit, onSet }: { row: LimitRow } & LimitsTableProps) {
  const { use } = row;
  const full = use?.full ?? false;
  const finish = (limit: number | null) => {
    onEdit(null);
    if (limit !== null) onSet(row, limit);
  };
  return (
    <tr className={`${row.id === cursor ? `cursor ${classes.chosen}` : ''}`} onClick={() => onCursor(row.id)} data-limit={row.title}>
      <td className="name" title={row.title}>
        {row.title}
      </td>
      <td className={`minor ${row.note ? 'wait' : 'dim-2'}`} title={row.note ?? row.counts}>
        {row.note ? 'matches nothing' : row.counts}
      </td>
      <td className="control">
        {row.limit !== null && row.limit >= 0 && <Wagons limit={row.limit} used={use?.used ?? 0} waiting={use?.waiting ?? 0} />}
      </td>
      <td className={`num ${full ? 'wait strong' : ''}`}>{use?.used ?? 0}</td>
      <td className="num control">
        {readOnly ? (
          (row.limit ?? 'none')
        ) : (
          <LimitCell row={row} editing={editing === row.id} onEdit={() => onEdit(row.id)} onDone={finish} />
        )}
      </td>
      <td className={`num ${use?.waiting ? 'wait strong' : 'dim-2'}`}>
        {grouped(use?.waiting ?? 0)}
        {use && !use.waiting_is_all && '+'}
      </td>
      <td className="num minor dim-2">{use?.longest_wait == null ? '–' : duration(use.longest_wait * 1000)}</td>
      <td className="num dim-2">
        <NextFree row={row} />
      </td>
      <td className="num control">
        {row.settable && !readOnly && (
          <ActionIcon onClick={() => onEdit(row.id)} aria-label={`Change the limit of ${row.title}`}>
            <IconPencil size={14} stroke={1.7} />
          </ActionIcon>
        )}
      </td>
    </tr>
  );
}

function NextFree({ row }: { row: LimitRow }) {
  const now = useNow();
  if (row.limit === null || row.limit < 0) return <>no limit</>;
  if (row.limit === 0) return <>never, limit 0</>;
  if (!row.use?.full) return <>now</>;
  const at = millis(row.use.next_free);
  return <>{at === null ? 'not known' : clock(at, now, { seconds: false })}</>;
}
