import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { messageOf } from '../api/client';
import { Notice } from './Notice';

/** What a query found; nothing while it asks the first time, the server's sentence when it was refused. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <Notice tone="fail">{messageOf(query.error)}</Notice>}
        {children(query.data)}
      </>
    );
  }
  return query.isError ? <Notice tone="fail">{messageOf(query.error)}</Notice> : null;
}
