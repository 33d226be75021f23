import { QueryClient } from '@tanstack/react-query';
import { Problem } from './client';

/** Nothing polls and nothing goes stale by age: the event stream says what to read again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 3 && error instanceof Problem && (error.status === 0 || error.status === 503),
    },
  },
});
