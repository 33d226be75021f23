import { useQuery, useQueryClient } from '@tanstack/react-query';
import { get } from './client';

export type LogStream = 'out' | 'err';

/** A page shows this many characters of a stream; who needs more reads the file. */
export const MOST_SHOWN = 4_000_000;

interface Captured {
  text: string;
  next_offset: number;
}

/** What a run's worker wrote to stdout or stderr; each reading goes on where the last one ended. */
export function useRunLogs(runId: string, stream: LogStream) {
  const client = useQueryClient();
  const queryKey = ['run', runId, 'logs', stream];
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const before = client.getQueryData<Captured>(queryKey) ?? { text: '', next_offset: 0 };
      let { text, next_offset: offset } = before;
      if (text.length >= MOST_SHOWN) return before;
      for (;;) {
        const path = `/runs/${encodeURIComponent(runId)}/logs?stream=${stream}&offset=${offset}`;
        const page = await get<Captured>(path, signal);
        text += page.text;
        if (page.next_offset === offset || text.length >= MOST_SHOWN) break;
        offset = page.next_offset;
      }
      return { text, next_offset: offset };
    },
    structuralSharing: false,
  });
}
