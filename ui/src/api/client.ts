// One way to speak to the server; every refusal becomes a Problem that carries the server's own sentence.

import type { Validation } from './types';

const BASE = '/api/v1';

export class Problem extends Error {
  readonly status: number;
  readonly issues: Validation['issues'];
  readonly tagIssues: Validation['tag_issues'];

  constructor(status: number, detail: string, body: Partial<Validation> = {}) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.issues = body.issues ?? [];
    this.tagIssues = body.tag_issues ?? [];
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await answer<T>(path, { signal })).body;
}

/** A page of a list and the `after` of the next one, which the Link header names. */
export async function getPage<T>(path: string, signal?: AbortSignal): Promise<{ rows: T[]; after: string | null }> {
  const { body, link } = await answer<T[]>(path, { signal });
  return { rows: body, after: nextAfter(link) };
}

export const post = <T>(path: string, body: unknown = {}) => write<T>('POST', path, body);
export const put = <T>(path: string, body: unknown) => write<T>('PUT', path, body);

async function write<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json' };
  return (await answer<T>(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })).body;
}

async function answer<T>(path: string, init: RequestInit): Promise<{ body: T; link: string | null }> {
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'The server does not answer. Is `runyard dev` or `runyard webserver` running?');
  }
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text);
  return { body: (text ? JSON.parse(text) : null) as T, link: response.headers.get('Link') };
}

function problemOf(status: number, text: string): Problem {
  try {
    const body = JSON.parse(text) as { detail?: string; title?: string } & Partial<Validation>;
    return new Problem(status, body.detail ?? body.title ?? `The server answered ${status}.`, body);
  } catch {
    // A proxy in between answers in HTML.
    return new Problem(status, `The server answered ${status}.`);
  }
}

export function nextAfter(link: string | null): string | null {
  const next = link?.split(',').find((part) => part.includes('rel="next"'));
  const url = next?.match(/<([^>]*)>/)?.[1];
  return url ? new URL(url, 'http://here').searchParams.get('after') : null;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
