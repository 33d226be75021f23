import { useState } from 'react';
import type { PageKey } from './registry';

/** The row that keys act on, held by its id so that it stays when rows move. */
export function useCursor<Row>(rows: Row[], idOf: (row: Row) => string) {
  const [id, setId] = useState<string | null>(null);
  const index = rows.findIndex((row) => idOf(row) === id);
  const step = (by: number) => {
    const next = rows[index < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, index + by))];
    if (next) setId(idOf(next));
  };
  const move: PageKey = {
    on: ['j', 'k', 'ArrowDown', 'ArrowUp'],
    show: ['J', 'K'],
    label: 'move',
    act: (key) => step(key === 'j' || key === 'ArrowDown' ? 1 : -1),
  };
  return { id, index, row: index < 0 ? undefined : rows[index], set: setId, move };
}
