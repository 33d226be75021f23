import type { RefObject } from 'react';
import { useNavigate } from 'react-router';
import type { Run } from '../../api/types';
import type { useCursor } from '../../keys/useCursor';
import { usePageKeys } from '../../keys/usePageKeys';
import type { Selection } from '../../lib/useSelection';

interface KeysOf {
  cursor: ReturnType<typeof useCursor<Run>>;
  selection: Selection;
  readOnly: boolean;
  bar: RefObject<HTMLDivElement | null>;
  field: RefObject<HTMLInputElement | null>;
}

/** The keys of the runs page. */
export function useRunsKeys({ cursor, selection, readOnly, bar, field }: KeysOf): void {
  const navigate = useNavigate();
  const { id } = cursor;
  const chosen = selection.chosen.size > 0;
  const reach = () => {
    if (readOnly) return;
    if (!chosen && id) selection.toggle(id);
    // The buttons are there once this has been drawn.
    requestAnimationFrame(() => bar.current?.querySelector('button')?.focus());
  };
  const copy = () => void navigator.clipboard.writeText(`${window.location.origin}/runs/${id}`);
  usePageKeys([
    cursor.move,
    { on: ['x'], show: ['X'], label: 'select', act: () => !readOnly && id && selection.toggle(id) },
    { on: ['e'], show: ['E'], label: 're-execute', act: reach },
    ...(chosen ? [{ on: ['Escape'], show: ['Esc'], label: 'select none', act: selection.none }] : []),
    { on: ['Enter'], show: ['Enter'], label: 'open', act: () => id && void navigate(`/runs/${id}`) },
    { on: ['f'], show: ['F'], label: 'filter', act: () => field.current?.focus() },
    { on: ['y'], show: ['Y'], label: 'copy link', act: () => id && copy() },
  ]);
}
