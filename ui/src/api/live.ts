// One stream of server-sent events per browser: the tab that holds a lock reads it and tells the others.

import type { QueryClient } from '@tanstack/react-query';
import { Staleness, TOPICS, type Topic } from './staleness';

export type LiveState = 'connecting' | 'live' | 'lost';

const STREAM = '/api/v1/events';
const NAME = 'runyard-events';

type Note = { state: LiveState } | { moved: Topic } | { reset: true } | { ask: true };

let state: LiveState = 'connecting';
const watchers = new Set<() => void>();

export const liveState = () => state;

export function watchLive(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Follow the stream for as long as the page lives, making queries stale as it says. */
export function startLive(client: QueryClient): void {
  const staleness = new Staleness(client);
  const channel = new BroadcastChannel(NAME);
  const hear = (note: Note) => {
    if ('moved' in note) staleness.note(note.moved);
    if ('reset' in note) staleness.everything();
    if ('state' in note) setState(note.state);
  };
  channel.onmessage = (message: MessageEvent<Note>) => hear(message.data);
  channel.postMessage({ ask: true } satisfies Note);
  const lead = () => readStream(channel, hear);
  // Web Locks exist in secure contexts only; elsewhere each tab reads a stream of its own.
  if (navigator.locks) void navigator.locks.request(NAME, () => lead());
  else void lead();
}

function setState(next: LiveState): void {
  state = next;
  watchers.forEach((watcher) => watcher());
}

/** Never settles: the lock is held until the tab goes. */
function readStream(channel: BroadcastChannel, hear: (note: Note) => void): Promise<never> {
  const tell = (note: Note) => {
    hear(note);
    channel.postMessage(note);
  };
  const hearAsLeader = channel.onmessage;
  channel.onmessage = (message: MessageEvent<Note>) => {
    if ('ask' in message.data) channel.postMessage({ state } satisfies Note);
    else hearAsLeader?.call(channel, message);
  };
  const open = () => {
    const source = new EventSource(STREAM);
    let greeted = false;
    source.addEventListener('hello', () => {
      tell({ state: 'live' });
      // What was read before this stream began may be older than its first event. One that is taken up again goes on
      // where it was cut, or says `reset`.
      if (!greeted) TOPICS.forEach((topic) => tell({ moved: topic }));
      greeted = true;
    });
    source.addEventListener('reset', () => {
      tell({ state: 'live' });
      tell({ reset: true });
    });
    for (const topic of TOPICS) source.addEventListener(topic, () => tell({ moved: topic }));
    source.onerror = () => {
      tell({ state: 'lost' });
      if (source.readyState !== EventSource.CLOSED) return; // it reconnects by itself
      setTimeout(open, 2000);
    };
  };
  open();
  return new Promise<never>(() => undefined);
}
