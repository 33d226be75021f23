DROP INDEX runs_queued_in_order;

DROP INDEX runs_active_by_lane;

DROP INDEX runs_live_by_lane_version;

DROP INDEX runs_by_status;

DROP INDEX runs_by_job;

DROP INDEX runs_waiting_by_lane;

DROP INDEX run_tags_by_value;

ALTER TABLE run_tags RENAME TO old_run_tags;

ALTER TABLE runs RENAME TO old_runs;

CREATE TABLE runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	run_id TEXT NOT NULL,
	job_name TEXT NOT NULL,
	location_name TEXT NOT NULL,
	status TEXT NOT NULL,
	np BIGINT DEFAULT '0' NOT NULL,
	tags TEXT NOT NULL,
	run_config TEXT NOT NULL,
	pools TEXT NOT NULL,
	attempt INTEGER DEFAULT '0' NOT NULL,
	began_attempt INTEGER DEFAULT '0' NOT NULL,
	ended_attempt INTEGER DEFAULT '0' NOT NULL,
	launch_token TEXT,
	queue_seq BIGINT,
	launch_seq BIGINT,
	created_at DOUBLE NOT NULL,
	queued_at DOUBLE,
	launched_at DOUBLE,
	started_at DOUBLE,
	canceling_at DOUBLE,
	ended_at DOUBLE,
	failure TEXT,
	lane TEXT,
	lane_version BIGINT DEFAULT '0' NOT NULL,
	held INTEGER DEFAULT '0' NOT NULL,
	held_by TEXT,
	held_reason TEXT,
	host_id TEXT,
	pid BIGINT,
	parent_run_id TEXT,
	root_run_id TEXT,
	CONSTRAINT runs_status_known CHECK ((status = 'NOT_STARTED' OR status = 'QUEUED' OR status = 'STARTING' OR status = 'STARTED' OR status = 'CANCELING' OR status = 'SUCCESS' OR status = 'FAILURE' OR status = 'CANCELED')),
	CONSTRAINT runs_queued_has_place CHECK (status <> 'QUEUED' OR (queue_seq IS NOT NULL AND lane IS NOT NULL AND queued_at IS NOT NULL)),
	CONSTRAINT runs_active_has_launch CHECK (NOT (status = 'STARTING' OR status = 'STARTED' OR status = 'CANCELING') OR (launch_token IS NOT NULL AND launch_seq IS NOT NULL AND lane IS NOT NULL AND launched_at IS NOT NULL AND attempt > 0)),
	CONSTRAINT runs_ended_at_when_finished CHECK ((ended_at IS NOT NULL) = (status = 'SUCCESS' OR status = 'FAILURE' OR status = 'CANCELED')),
	CONSTRAINT runs_failure_when_failed CHECK ((failure IS NOT NULL) = (status = 'FAILURE')),
	CONSTRAINT runs_held_only_queued CHECK (held IN (0, 1) AND (held = 0 OR status = 'QUEUED')),
	CONSTRAINT runs_attempts_in_order CHECK (began_attempt <= attempt AND ended_attempt <= attempt),
	UNIQUE (run_id)
);

INSERT INTO sqlite_sequence (name, seq) SELECT 'runs', seq FROM sqlite_sequence WHERE name = 'old_runs';

INSERT INTO runs (id, run_id, job_name, location_name, status, np, tags, run_config, pools, attempt, began_attempt, ended_attempt, launch_token, queue_seq, launch_seq, created_at, queued_at, launched_at, started_at, canceling_at, ended_at, failure, lane, lane_version, held, held_by, held_reason, host_id, pid, parent_run_id, root_run_id) SELECT id, run_id, job_name, location_name, status, np, tags, run_config, pools, attempt, began_attempt, ended_attempt, launch_token, queue_seq, launch_seq, created_at, queued_at, launched_at, started_at, canceling_at, ended_at, failure, lane, lane_version, held, held_by, held_reason, host_id, pid, parent_run_id, root_run_id FROM old_runs;

CREATE TABLE run_tags (
	run_no INTEGER NOT NULL,
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (run_no, "key"),
	FOREIGN KEY(run_no) REFERENCES runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

INSERT INTO run_tags (run_no, "key", value) SELECT run_no, "key", value FROM old_run_tags;

DROP TABLE old_run_tags;

DROP TABLE old_runs;

CREATE INDEX runs_waiting_in_order ON runs (np, queue_seq) WHERE status = 'QUEUED' AND held = 0;

CREATE INDEX runs_held_in_order ON runs (np, queue_seq) WHERE status = 'QUEUED' AND held = 1;

CREATE INDEX runs_queued_by_lane_version ON runs (lane_version) WHERE status = 'QUEUED';

CREATE INDEX runs_active_by_lane_version ON runs (lane_version) WHERE (status = 'STARTING' OR status = 'STARTED' OR status = 'CANCELING');

CREATE INDEX runs_by_launch ON runs (launched_at) WHERE launched_at IS NOT NULL;

CREATE INDEX runs_by_status ON runs (status, id);

CREATE INDEX runs_by_job ON runs (job_name, id);

CREATE INDEX runs_waiting_by_lane ON runs (lane, np, queue_seq) WHERE status = 'QUEUED' AND held = 0;

CREATE INDEX run_tags_by_value ON run_tags ("key", value, run_no);

ALTER TABLE queue_changes RENAME TO old_queue_changes;

CREATE TABLE queue_changes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	txn BIGINT DEFAULT 0 NOT NULL,
	kind TEXT NOT NULL,
	lane TEXT,
	run_id TEXT,
	status TEXT,
	CONSTRAINT queue_changes_kind_known CHECK ((kind = 'lane' OR kind = 'started' OR kind = 'ended' OR kind = 'rules' OR kind = 'pool'))
);

INSERT INTO sqlite_sequence (name, seq) SELECT 'queue_changes', seq FROM sqlite_sequence WHERE name = 'old_queue_changes';

INSERT INTO queue_changes (id, txn, kind, lane, run_id, status) SELECT id, txn, kind, lane, run_id, status FROM old_queue_changes;

DROP TABLE old_queue_changes;

DROP INDEX events_of_run;

ALTER TABLE events RENAME TO old_events;

CREATE TABLE events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	txn BIGINT DEFAULT 0 NOT NULL,
	run_id TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	seq BIGINT,
	type TEXT NOT NULL,
	timestamp DOUBLE NOT NULL,
	step_key TEXT,
	level TEXT NOT NULL,
	body TEXT NOT NULL
);

INSERT INTO sqlite_sequence (name, seq) SELECT 'events', seq FROM sqlite_sequence WHERE name = 'old_events';

INSERT INTO events (id, txn, run_id, attempt, seq, type, timestamp, step_key, level, body) SELECT id, txn, run_id, attempt, seq, type, timestamp, step_key, level, body FROM old_events;

DROP TABLE old_events;

CREATE UNIQUE INDEX events_once ON events (run_id, attempt, seq) WHERE seq IS NOT NULL;

CREATE INDEX events_of_run ON events (run_id, txn, id);

CREATE TABLE audit (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	at DOUBLE NOT NULL,
	"by" TEXT NOT NULL,
	action TEXT NOT NULL,
	subject TEXT NOT NULL,
	message TEXT NOT NULL
);

CREATE TABLE pool_counters (
	pool TEXT NOT NULL,
	used BIGINT NOT NULL,
	PRIMARY KEY (pool),
	CONSTRAINT pool_counters_not_negative CHECK (used >= 0)
);

CREATE TABLE pool_holders (
	pool TEXT NOT NULL,
	run_id TEXT NOT NULL,
	step_key TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	slots BIGINT NOT NULL,
	since DOUBLE NOT NULL,
	PRIMARY KEY (pool, run_id, step_key, attempt),
	CONSTRAINT pool_holders_positive CHECK (slots > 0),
	FOREIGN KEY(pool) REFERENCES pool_counters (pool)
);

CREATE INDEX pool_holders_of_run ON pool_holders (run_id);

CREATE TABLE estimates (
	run_id TEXT NOT NULL,
	made_at DOUBLE NOT NULL,
	estimated_start DOUBLE NOT NULL,
	PRIMARY KEY (run_id)
);

CREATE TABLE left_alone (
	location_name TEXT NOT NULL,
	until DOUBLE NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (location_name)
);

UPDATE rules SET version = version + 1, lane_version = version + 1 WHERE EXISTS (SELECT 1 FROM runs);

UPDATE rules SET body = '{"configured":' || body || '}' WHERE body <> '{}';

CREATE TABLE queue_counts (
	held INTEGER NOT NULL,
	np BIGINT NOT NULL,
	block BIGINT NOT NULL,
	txn BIGINT DEFAULT 0 NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (held, np, block, txn)
)
 WITHOUT ROWID;

INSERT INTO queue_counts (held, np, block, n) SELECT held, np, queue_seq / 1024, count(*) FROM runs WHERE status = 'QUEUED' GROUP BY held, np, queue_seq / 1024;

CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended_at IS NOT NULL;
