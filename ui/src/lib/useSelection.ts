import { useState } from 'react';

/** Rows that were chosen, by id. Shift chooses everything from the last one chosen to this one. */
export function useSelection(ids: string[]) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [last, setLast] = useState<string | null>(null);
  // Rows that have left the list are no longer chosen.
  const here = new Set(ids.filter((id) => chosen.has(id)));

  const toggle = (id: string, range = false) => {
    const next = new Set(here);
    const [from, to] = [last === null ? -1 : ids.indexOf(last), ids.indexOf(id)];
    if (range && from >= 0) ids.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((each) => next.add(each));
    else if (!next.delete(id)) next.add(id);
    setChosen(next);
    setLast(id);
  };
  return {
    chosen: here,
    toggle,
    add: (more: string[]) => setChosen(new Set([...here, ...more])),
    all: () => setChosen(new Set(ids)),
    none: () => setChosen(new Set()),
  };
}

export type Selection = ReturnType<typeof useSelection>;
