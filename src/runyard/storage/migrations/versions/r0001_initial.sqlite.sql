CREATE TABLE counters (
	name TEXT NOT NULL,
	value BIGINT NOT NULL,
	PRIMARY KEY (name)
);

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
	body TEXT NOT NULL,
	CONSTRAINT events_once UNIQUE (run_id, attempt, seq)
);

CREATE INDEX events_of_run ON events (run_id, txn, id);

CREATE TABLE heartbeats (
	daemon_type TEXT NOT NULL,
	process_id TEXT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (daemon_type, process_id)
);

CREATE TABLE hosts (
	host_id TEXT NOT NULL,
	lease_expires_at DOUBLE NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (host_id)
);

CREATE TABLE idempotency_keys (
	"key" TEXT NOT NULL,
	run_ids TEXT NOT NULL,
	created_at DOUBLE NOT NULL,
	PRIMARY KEY ("key")
);

CREATE TABLE instigators (
	kind TEXT NOT NULL,
	location_name TEXT NOT NULL,
	name TEXT NOT NULL,
	status TEXT NOT NULL,
	started_at DOUBLE,
	cursor TEXT,
	last_tick_at DOUBLE,
	last_run_key TEXT,
	decided_until DOUBLE,
	consecutive_failures INTEGER DEFAULT '0' NOT NULL,
	version BIGINT NOT NULL,
	PRIMARY KEY (kind, location_name, name),
	CONSTRAINT instigators_kind_known CHECK (kind IN ('schedule', 'sensor')),
	CONSTRAINT instigators_status_known CHECK (status IN ('RUNNING', 'STOPPED', 'DECLARED_IN_CODE'))
);

CREATE TABLE leases (
	name TEXT NOT NULL,
	holder TEXT,
	term BIGINT NOT NULL,
	expires_at DOUBLE NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE locations (
	name TEXT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE queue_changes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	txn BIGINT DEFAULT 0 NOT NULL,
	kind TEXT NOT NULL,
	lane TEXT,
	run_id TEXT,
	status TEXT,
	CONSTRAINT queue_changes_kind_known CHECK (kind IN ('lane', 'started', 'ended', 'rules'))
);

CREATE TABLE rules (
	id INTEGER NOT NULL,
	version BIGINT NOT NULL,
	lane_version BIGINT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT rules_one_row CHECK (id = 1)
);

CREATE TABLE run_keys (
	kind TEXT NOT NULL,
	location_name TEXT NOT NULL,
	name TEXT NOT NULL,
	time DOUBLE NOT NULL,
	run_key TEXT NOT NULL,
	run_id TEXT NOT NULL,
	PRIMARY KEY (kind, location_name, name, time, run_key),
	CONSTRAINT run_keys_scope CHECK (kind = 'schedule' OR (kind = 'sensor' AND time = 0))
);

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
	CONSTRAINT runs_status_known CHECK (status IN ('NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED', 'CANCELING', 'SUCCESS', 'FAILURE', 'CANCELED')),
	CONSTRAINT runs_queued_has_place CHECK (status <> 'QUEUED' OR (queue_seq IS NOT NULL AND lane IS NOT NULL AND queued_at IS NOT NULL)),
	CONSTRAINT runs_active_has_launch CHECK (status NOT IN ('STARTING', 'STARTED', 'CANCELING') OR (launch_token IS NOT NULL AND launch_seq IS NOT NULL AND lane IS NOT NULL AND launched_at IS NOT NULL AND attempt > 0)),
	CONSTRAINT runs_ended_at_when_finished CHECK ((ended_at IS NOT NULL) = (status IN ('SUCCESS', 'FAILURE', 'CANCELED'))),
	CONSTRAINT runs_failure_when_failed CHECK ((failure IS NOT NULL) = (status = 'FAILURE')),
	CONSTRAINT runs_held_only_queued CHECK (held IN (0, 1) AND (held = 0 OR status = 'QUEUED')),
	CONSTRAINT runs_attempts_in_order CHECK (began_attempt <= attempt AND ended_attempt <= attempt),
	UNIQUE (run_id)
);

CREATE INDEX runs_queued_in_order ON runs (np, queue_seq) WHERE status = 'QUEUED';

CREATE INDEX runs_by_status ON runs (status, id);

CREATE INDEX runs_by_job ON runs (job_name, id);

CREATE INDEX runs_live_by_lane_version ON runs (lane_version) WHERE status IN ('QUEUED', 'STARTING', 'STARTED', 'CANCELING');

CREATE INDEX runs_active_by_lane ON runs (lane) WHERE status IN ('STARTING', 'STARTED', 'CANCELING');

CREATE INDEX runs_waiting_by_lane ON runs (lane, np, queue_seq) WHERE status = 'QUEUED' AND held = 0;

CREATE TABLE ticks (
	tick_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	location_name TEXT NOT NULL,
	name TEXT NOT NULL,
	time DOUBLE NOT NULL,
	status TEXT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (tick_id),
	CONSTRAINT ticks_kind_known CHECK (kind IN ('schedule', 'sensor')),
	CONSTRAINT ticks_status_known CHECK (status IN ('STARTED', 'SKIPPED', 'SUCCESS', 'FAILURE'))
);

CREATE INDEX ticks_of_instigator ON ticks (kind, location_name, name, time);

CREATE UNIQUE INDEX ticks_one_per_time ON ticks (kind, location_name, name, time) WHERE kind = 'schedule';

CREATE TABLE run_tags (
	run_no INTEGER NOT NULL,
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (run_no, "key"),
	FOREIGN KEY(run_no) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX run_tags_by_value ON run_tags ("key", value, run_no);

INSERT INTO rules (id, version, lane_version, body) VALUES (1, 0, 0, '{}');
