// A made-up weather yard at a fixed moment before now: what pages are drawn with while no server runs.

import type { CodeLocation, Daemon, ErrorInfo, Instigator, Job, Limit, QueueEntry, Reason, RecordedError, Run, RunEvent, RunStatus } from '../src/api/types.ts';

const now = Date.now();
export const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
const pad = (name: string) => (name + '0'.repeat(32)).slice(0, 32);

interface Given {
  id: string;
  job: string;
  status: RunStatus;
  tags?: Record<string, string>;
  priority?: number;
  created: number;
  waited?: number;
  took?: number;
  failure?: Run['failure'];
}

function run(given: Given): Run {
  const { status, created, waited = 0, took } = given;
  const launched = status === 'QUEUED' ? null : created - waited;
  return {
    run_id: pad(given.id), job_name: given.job, location: 'weather', status, priority: given.priority ?? 0,
    tags: given.tags ?? {}, run_config: { ops: { fetch_stations: { config: { region: 'alps' } } } }, attempt: status === 'QUEUED' ? 0 : 1,
    queue_seq: 1, launch_seq: launched === null ? null : 1, created_at: ago(created), queued_at: ago(created),
    launched_at: launched === null ? null : ago(launched), started_at: launched === null ? null : ago(launched),
    ended_at: took === undefined || launched === null ? null : ago(launched - took), failure: given.failure ?? null, held: null,
    parent_run_id: null,
  };
}

const by = (schedule: string, more: Record<string, string> = {}) => ({ 'dagster/schedule_name': schedule, ...more });
const http = { step_key: 'fetch_tiles', error_class: 'HTTPError', message: '503 Service Unavailable from radar.meteo.example/tiles' };

export const runs: Run[] = [
  run({ id: 'aa90f3c2', job: 'ingest_radar', status: 'STARTED', tags: by('radar_10min', { team: 'ingest' }), created: 138 }),
  run({ id: '66d0c2ab', job: 'ingest_satellite', status: 'QUEUED', tags: by('satellite_quarter', { team: 'ingest' }), created: 258 }),
  run({ id: '0b6de1f4', job: 'daily_report', status: 'QUEUED', tags: { team: 'docs', 'dagster/partition': '2026-11-22' }, created: 376 }),
  run({ id: '7c41e09a', job: 'daily_report', status: 'STARTED', tags: by('daily_report_0930', { team: 'docs', 'dagster/partition': '2026-11-23' }), priority: 5, created: 675, waited: 1 }),
  run({ id: 'e1a77c30', job: 'nowcast_gpu', status: 'QUEUED', tags: by('nowcast_half_hourly', { team: 'models' }), created: 738, priority: 10 }),
  run({ id: '48be9f0a', job: 'forecast_blend', status: 'STARTED', tags: by('blend_3_hourly', { team: 'models' }), priority: 10, created: 738 }),
  run({ id: '9e02b4d7', job: 'ingest_day', status: 'FAILURE', tags: by('ingest_day_0900', { team: 'ingest', 'dagster/partition': '2026-11-23' }), created: 2500, took: 751, failure: { step_key: 'parse_stations', error_class: 'KeyError', message: "'precip_mm'" } }),
  run({ id: '40ef5b1a', job: 'compact_archive', status: 'CANCELED', tags: { team: 'archive' }, created: 5200, took: 944 }),
  run({ id: '08c7f5e2', job: 'ingest_radar', status: 'FAILURE', tags: by('radar_10min', { team: 'ingest' }), created: 7900, took: 68, failure: http }),
  ...Array.from({ length: 200 }, (_, index) =>
    run({ id: `${(index * 7919 + 4096).toString(16)}f3`, job: ['ingest_radar', 'publish_bulletin', 'ingest_stations'][index % 3] ?? '', status: 'SUCCESS', tags: by('radar_10min', { team: ['ingest', 'docs', 'archive'][index % 3] ?? '' }), created: 8200 + index * 300, took: 20 + (index * 37) % 900 }),
  ),
];

function reason(kind: Reason['kind'], message: string, rule: string | null, limit: number | null, holders: string[]): Reason {
  return { kind, message, rule, limit, used: limit, holders: holders.map(pad) };
}

const slots = (ahead: number) => reason(ahead ? 'max_concurrent_runs' : 'next', ahead ? `Behind ${ahead} runs in order; all 10 run slots in use` : 'Next. All 10 run slots in use; starts when one ends', 'max_concurrent_runs', 10, ['aa90f3c2']);
const docs = (ahead: number) => reason('tag_limit', `team=docs 1 of 1, held by 7c41e09a${ahead ? `, then ${ahead} runs ahead` : ''}`, 'team=docs', 1, ['7c41e09a']);

const WAITING: [string, string, number, number, number | null, Reason][] = [
  ['66d0c2ab', 'ingest_satellite', 0, 258, 120, slots(0)],
  ['51f7be08', 'site_docs', 5, 1082, 180, docs(0)],
  ['d83a6c55', 'ingest_lightning', 0, 220, 300, slots(1)],
  ['07b9e4a1', 'quality_check', 0, 175, 480, slots(2)],
  ['c26d90fe', 'publish_bulletin', 0, 738, 660, docs(1)],
  ['a45c17d3', 'alerts_refresh', 0, 69, 720, slots(3)],
  ['0b6de1f4', 'daily_report', 0, 376, 1020, docs(2)],
  ['3e08f6b2', 'tile_cache_warm', -1, 1360, 1140, slots(5)],
  ['6f20ab93', 'reprocess_month', 0, 2478, 3360, reason('tag_limit', 'team=archive 2 of 2, held by b2f0d713 90aa4e21', 'team=archive', 2, ['b2f0d713', '90aa4e21'])],
  ['b7104fc9', 'site_radar_v2', 0, 1865, null, reason('location_unavailable', 'Location radar_v2 fails to load: ImportError', 'radar_v2', null, [])],
  ['8d5b03f7', 'export_partners', 0, 1610, null, reason('held', 'Held by oncall: “partner asked to wait”. Starts only when released', null, null, [])],
];

export const queue: QueueEntry[] = WAITING.map(([id, job, priority, waiting, start, why], index) => ({
  run_id: pad(id), job_name: job, position: index + 1, forecast_position: start === null ? null : index + 1, priority,
  queued_at: ago(waiting), waiting_seconds: waiting, estimated_start: start === null ? null : ago(-start), reason: why,
}));

const limit = (rule: string, kind: string, most: number, used: number, waiting: number, holders: string[]): Limit => ({ rule, kind, limit: most, used, waiting, holders: holders.map(pad) });

export const limits: Limit[] = [
  limit('max_concurrent_runs', 'max_concurrent_runs', 10, 10, 5, ['aa90f3c2', '7c41e09a', '48be9f0a']),
  limit('team=docs', 'tag_limit', 1, 1, 3, ['7c41e09a']),
  limit('team=archive', 'tag_limit', 2, 2, 1, ['b2f0d713', '90aa4e21']),
  limit('team=ingest', 'tag_limit', 6, 4, 0, ['aa90f3c2']),
  limit('customer', 'tag_limit', 40, 11, 0, []),
];

const beat = { required: true, why_off: null, errors: [], host: 'yard-1', pid: 4121, leader: 'a', standbys: [{ host: 'yard-2', pid: 3877, last_heartbeat: ago(1) }], pass_since: null };
export const daemons: Daemon[] = [
  { ...beat, type: 'SCHEDULER', state: 'healthy', last_heartbeat: ago(2), last_pass: { at: ago(20), seconds: 0.041, outcome: 'evaluated 3 schedules' }, next_pass_at: ago(-40) },
  { ...beat, type: 'QUEUED_RUN_COORDINATOR', state: 'hung', last_heartbeat: ago(1), last_pass: { at: ago(200), seconds: 0.01, outcome: 'launched 2 runs' }, next_pass_at: null, pass_since: ago(186) },
  { ...beat, type: 'SENSOR', state: 'failing', last_heartbeat: ago(2), last_pass: { at: ago(690), seconds: 0.3, outcome: 'evaluated 14 sensors' }, next_pass_at: ago(-30), errors: [{ at: ago(30), error_class: 'UndefinedColumn', message: 'runs.launch_token does not exist' }, { at: ago(690), error_class: 'UndefinedColumn', message: 'x' }] },
  { ...beat, type: 'MONITORING', state: 'off', required: false, why_off: 'run_monitoring.enabled: false, runyard.yaml:14', last_heartbeat: null, last_pass: null, next_pass_at: null, host: null, pid: null, leader: null, standbys: [] },
];

const importError: ErrorInfo = { error_class: 'ModuleNotFoundError', message: "No module named 'pyart'", stack: ['  File "/srv/radar_v2/definitions.py", line 3, in <module>\n    import pyart\n'], library_frames: 6, cause: null };
const location = { source: 'module weather.definitions', error: null, start_method: 'fork', start_method_reason: null, updated_at: ago(700) };
export const locations: CodeLocation[] = [
  { ...location, name: 'weather', state: 'LOADED', jobs: ['daily_report', 'ingest_day'] },
  { ...location, name: 'radar_v2', source: 'file radar_v2/definitions.py', state: 'ERROR', error: importError, jobs: [] },
];

const field = (type: string, description: string, more = {}) => ({ type, description, ...more });
const renderMaps = {
  type: 'object', description: 'Draws one map per region and variable, from the merged grid.', required: ['regions'],
  properties: {
    regions: { type: 'array', items: { type: 'string' }, description: 'Map extents to draw, by name' },
    resolution: field('integer', 'Pixels per degree; 240 doubles the time', { default: 120 }),
    palette: { enum: ['viridis', 'cividis', 'batlow'], default: 'viridis' },
    retries: field('integer', 'Per tile, on network errors', { default: 2 }),
    watermark: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
  },
};
const op = (name: string, needs: string[] = []) => ({ key: name, op_name: name, needs, pool: null });

export const jobs: Job[] = [
  {
    location: 'weather', name: 'daily_report', description: 'Maps and text for the morning page.', tags: { team: 'docs', 'dagster/priority': '5' }, pools: [],
    ops: [op('collect'), op('render_maps', ['collect']), op('publish', ['render_maps'])],
    config_schema: { type: 'object', properties: { ops: { type: 'object', properties: { render_maps: { type: 'object', properties: { config: renderMaps } } } } } },
    default_config: { ops: { render_maps: { config: { regions: ['alps', 'jura'], resolution: 'high', retriez: 3 } } } },
  },
  {
    location: 'weather', name: 'ingest_day', description: 'One day of all stations.', tags: { team: 'ingest' }, pools: ['era5_api'], config_schema: { type: 'object' }, default_config: {},
    ops: [op('list_sources'), op('fetch_stations', ['list_sources']), op('fetch_radar', ['list_sources']), op('parse_stations', ['fetch_stations', 'fetch_radar']), op('merge', ['parse_stations']), op('load_warehouse', ['merge'])],
  },
];

const tick = (seconds: number, more: object = {}) => ({ tick_id: `${seconds}`, time: ago(seconds), status: 'SUCCESS' as const, run_ids: [pad('aa90f3c2')], skip_reason: null, error: null, ended_at: ago(seconds), ...more });
export const schedules: Instigator[] = [
  { location: 'weather', name: 'radar_10min', status: 'RUNNING', declared_in_code: true, cron_schedule: ['*/10 * * * *'], execution_timezone: 'Europe/Zurich', next_tick_at: ago(-462), job_names: ['ingest_radar'], last_tick: tick(138), description: null },
  { location: 'weather', name: 'ingest_day_backup', status: 'STOPPED', declared_in_code: false, cron_schedule: ['0 21 * * *'], execution_timezone: 'UTC', next_tick_at: null, job_names: ['ingest_day'], last_tick: null, description: null },
];
export const sensors: Instigator[] = [
  { location: 'weather', name: 'lightning_drop', status: 'RUNNING', declared_in_code: true, minimum_interval_seconds: 30, job_names: ['ingest_lightning'], last_tick: tick(12, { status: 'FAILURE', run_ids: [], error: { ...importError, error_class: 'ConnectionRefusedError', message: 'sftp.lightning.example' } }), description: null },
  { location: 'weather', name: 'partner_inbox', status: 'RUNNING', declared_in_code: true, minimum_interval_seconds: 30, job_names: ['ingest_partner'], last_tick: tick(8, { status: 'SKIPPED', run_ids: [], skip_reason: 'inbox empty; cursor 2026-11-24T08:55' }), description: null },
];
export const ticks = Array.from({ length: 24 }, (_, index) => tick(index * 30, { tick_id: `t${index}`, status: index < 2 ? 'FAILURE' : index % 5 ? 'SUCCESS' : 'SKIPPED' }));

const keyError: RecordedError = {
  class_name: 'KeyError', message: "'precip_mm'", library_frames: 11, cause: null,
  stack: ['  File "/srv/weather/ingest/parse.py", line 52, in parse_stations\n    frames = [parse_station(p) for p in raw]\n', '  File "/srv/weather/ingest/parse.py", line 88, in parse_station\n    total = df[\'precip_mm\'].sum()\n'],
};
let place = 0;
const event = (at: number, type: string, step_key: string | null, message = '', level = 'INFO', data: RunEvent['data'] = {}): RunEvent => ({ cursor: `0.${++place}`, type, timestamp: ago(2500 - at), step_key, level, message, data });
export const events: RunEvent[] = [
  event(0, 'RUN_START', null, 'Started run of ingest_day'),
  event(1, 'STEP_START', 'list_sources'), event(23, 'STEP_SUCCESS', 'list_sources', 'Finished in 22 s'),
  event(23, 'STEP_START', 'fetch_stations'), event(24, 'STEP_START', 'fetch_radar'),
  event(65, 'STEP_UP_FOR_RETRY', 'fetch_radar', 'HTTPError: 503. Retry in 30 s', 'WARNING'),
  event(95, 'STEP_RESTARTED', 'fetch_radar'), event(96, 'STEP_START', 'fetch_radar'),
  event(152, 'STEP_SUCCESS', 'fetch_stations'), event(208, 'STEP_SUCCESS', 'fetch_radar'),
  event(209, 'STEP_START', 'parse_stations'),
  ...Array.from({ length: 30 }, (_, index) => event(215 + index * 10, 'LOG', 'parse_stations', `${index * 5} of 158 parsed`, index % 3 ? 'INFO' : 'DEBUG')),
  event(750, 'STEP_FAILURE', 'parse_stations', "KeyError: 'precip_mm'", 'ERROR', { error: keyError }),
  event(750, 'STEP_SKIPPED', 'merge', 'Needs parse_stations, which failed', 'DEBUG'),
  event(751, 'RUN_FAILURE', null, '1 step failed, 3 succeeded, 2 not started', 'ERROR'),
];
