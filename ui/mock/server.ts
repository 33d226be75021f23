// Answers /api/v1 from the made-up yard, for `npm run dev` without a server. Acts on the queue and switches move it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';
import type { Run } from '../src/api/types.ts';
import * as yard from './yard.ts';

type Answer = { status?: number; body: unknown; link?: string };
type Handler = (parts: string[], query: URLSearchParams, body: Record<string, unknown>) => Answer;

const streams = new Set<ServerResponse>();
const moved = (topic: string) => streams.forEach((stream) => stream.write(`event: ${topic}\ndata: {"topic": "${topic}"}\n\n`));
const ok = (body: unknown): Answer => ({ body });
const refused = (status: number, detail: string): Answer => ({ status, body: { title: 'Refused', status, detail } });

const instance = {
  name: 'weather-prod', version: '0.1.0', home: '/srv/runyard', storage: { kind: 'sqlite' }, read_only: false, workspace_problem: null,
  configuration_text: '# The instance file\nconcurrency:\n  runs:\n    max_concurrent_runs: 10\n', configuration_file: '/srv/runyard/runyard.yaml',
  notices: ['telemetry: accepted and without effect: Runyard sends nothing anywhere.'], queue_depth: yard.queue.length,
};

function listRuns(query: URLSearchParams): Answer {
  const statuses = query.getAll('status');
  const fits = (run: Run) =>
    (!statuses.length || statuses.includes(run.status)) &&
    (!query.has('job') || run.job_name === query.get('job')) &&
    query.getAll('tag').every((tag) => Object.entries(run.tags).some(([key, value]) => `${key}=${value}` === tag));
  const found = yard.runs.filter(fits);
  const from = query.has('after') ? found.findIndex((run) => run.run_id === query.get('after')) + 1 : 0;
  const limit = Number(query.get('limit') ?? 50);
  const page = found.slice(from, from + limit);
  const more = from + limit < found.length;
  return { body: page, link: more ? `</api/v1/runs?after=${page[page.length - 1]?.run_id}>; rel="next"` : undefined };
}

function oneRun(id: string): Run | undefined {
  return yard.runs.find((run) => run.run_id.startsWith(id));
}

const runs: Handler = ([, id, what], query, body) => {
  if (body['job_name']) return { status: 201, body: yard.runs[0] };
  if (!id) return listRuns(query);
  if (id === 'counts') return ok(yard.runs.reduce<Record<string, number>>((sum, { status }) => ({ ...sum, [status]: (sum[status] ?? 0) + 1 }), {}));
  const run = oneRun(id);
  if (!run) return refused(404, `No run named '${id}'.`);
  if (what === 'events') {
    const from = query.has('after') ? yard.events.findIndex((event) => event.cursor === query.get('after')) + 1 : 0;
    return ok({ events: yard.events.slice(from), next: yard.events.at(-1)?.cursor });
  }
  if (what === 'logs') {
    const text = query.get('stream') === 'out' ? 'parse LAE rows=144 cols=11\nparse LEI rows=144 cols=11\n' : "KeyError: 'precip_mm'\n";
    return ok({ text: query.get('offset') === '0' ? text : '', next_offset: text.length });
  }
  if (what === 'cancel') run.status = 'CANCELED';
  moved('runs');
  return ok(run);
};

const queue: Handler = ([, id, what], _query, body) => {
  if (!id) return ok(yard.queue);
  const entry = yard.queue.find((each) => each.run_id === id);
  if (!entry) return refused(409, 'This run is not queued any more.');
  if (what === 'priority') entry.priority = Number(body['priority']);
  if (what === 'hold') entry.reason = { kind: 'held', message: `Held by web: “${String(body['reason'])}”. Starts only when released`, rule: null, limit: null, used: null, holders: [] };
  if (what === 'release') entry.reason = { kind: 'next', message: 'Next. Starts at once', rule: null, limit: null, used: null, holders: [] };
  moved('queue');
  return ok(entry);
};

const jobs: Handler = ([, location, name, what], _query, body) => {
  if (!location) return ok(yard.jobs);
  if (what === 'validate') return ok(judge(body));
  const job = yard.jobs.find((each) => each.name === name);
  return job ? ok(job) : refused(404, `No job named '${name}'.`);
};

function judge(body: Record<string, unknown>) {
  const text = JSON.stringify(body['run_config'] ?? {});
  const issues = [];
  const at = 'ops.render_maps.config';
  if (text.includes('"resolution":"')) issues.push({ path: `${at}.resolution`, message: 'resolution takes a whole number, not text' });
  if (text.includes('retriez')) issues.push({ path: `${at}.retriez`, message: 'No field retriez here. Did you mean retries?' });
  const priority = (body['tags'] as Record<string, string> | undefined)?.['dagster/priority'];
  const fits = priority === undefined || (/^-?\d+$/.test(priority) && Math.abs(Number(priority)) < 2 ** 31);
  return { issues, tag_issues: fits ? [] : [{ key: 'dagster/priority', message: `Tag 'dagster/priority': ${priority} is outside -2147483648 to 2147483647.` }] };
}

const instigators = (kind: 'schedules' | 'sensors'): Handler => ([, , name, what]) => {
  if (!name) return ok(yard[kind]);
  if (what === 'ticks') return ok(yard.ticks);
  const found = yard[kind].find((each) => each.name === name);
  if (!found) return refused(404, `No ${kind.slice(0, -1)} named '${name}'.`);
  found.status = what === 'start' ? 'RUNNING' : 'STOPPED';
  moved('automation');
  return ok(found);
};

const HANDLERS: Record<string, Handler> = {
  runs, queue, jobs,
  schedules: instigators('schedules'),
  sensors: instigators('sensors'),
  instance: () => ok(instance),
  limits: () => ok(yard.limits),
  daemons: () => ok(yard.daemons),
  locations: () => ok(yard.locations),
};

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text ? (JSON.parse(text) as Record<string, unknown>) : {};
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://mock');
  if (url.pathname === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('event: hello\ndata: {}\n\n');
    streams.add(response);
    request.on('close', () => streams.delete(response));
    return;
  }
  const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const handler = HANDLERS[parts[0] ?? ''];
  const { status = 200, body, link } = handler ? handler(parts, url.searchParams, await read(request)) : refused(404, 'Nothing is here.');
  response.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...(link ? { Link: link } : {}) });
  response.end(JSON.stringify(body));
}

export function mockServer(): Plugin {
  return {
    name: 'mock-yard',
    configureServer(server) {
      server.middlewares.use('/api/v1', (request, response) => void answer(request, response));
    },
    configurePreviewServer(server) {
      server.middlewares.use('/api/v1', (request, response) => void answer(request, response));
    },
  };
}
