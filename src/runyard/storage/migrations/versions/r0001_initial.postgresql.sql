CREATE SEQUENCE queue_seq AS BIGINT;

CREATE SEQUENCE launch_seq AS BIGINT;

CREATE SEQUENCE state_version AS BIGINT;

CREATE TABLE events (
	id BIGSERIAL NOT NULL,
	txn BIGINT DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL,
	run_id TEXT COLLATE "C" NOT NULL,
	attempt INTEGER NOT NULL,
	seq BIGINT,
	type TEXT COLLATE "C" NOT NULL,
	timestamp DOUBLE PRECISION NOT NULL,
	step_key TEXT COLLATE "C",
	level TEXT COLLATE "C" NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT events_once UNIQUE (run_id, attempt, seq)
);

CREATE INDEX events_in_order ON events (txn, id);

CREATE INDEX events_of_run ON events (run_id, txn, id);

CREATE TABLE heartbeats (
	daemon_type TEXT COLLATE "C" NOT NULL,
	process_id TEXT COLLATE "C" NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (daemon_type, process_id)
);

CREATE TABLE hosts (
	host_id TEXT COLLATE "C" NOT NULL,
	lease_expires_at DOUBLE PRECISION NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (host_id)
);

CREATE TABLE idempotency_keys (
	key TEXT COLLATE "C" NOT NULL,
	run_ids TEXT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (key)
);

CREATE TABLE instigators (
	kind TEXT COLLATE "C" NOT NULL,
	location_name TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	started_at DOUBLE PRECISION,
	cursor TEXT,
	last_tick_at DOUBLE PRECISION,
	last_run_key TEXT,
	decided_until DOUBLE PRECISION,
	consecutive_failures INTEGER DEFAULT '0' NOT NULL,
	version BIGINT NOT NULL,
	PRIMARY KEY (kind, location_name, name),
	CONSTRAINT instigators_kind_known CHECK (kind IN ('schedule', 'sensor')),
	CONSTRAINT instigators_status_known CHECK (status IN ('RUNNING', 'STOPPED', 'DECLARED_IN_CODE'))
);

CREATE TABLE leases (
	name TEXT COLLATE "C" NOT NULL,
	holder TEXT COLLATE "C",
	term BIGINT NOT NULL,
	expires_at DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE locations (
	name TEXT COLLATE "C" NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE queue_changes (
	id BIGSERIAL NOT NULL,
	txn BIGINT DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	lane TEXT COLLATE "C",
	run_id TEXT COLLATE "C",
	status TEXT COLLATE "C",
	PRIMARY KEY (id),
	CONSTRAINT queue_changes_kind_known CHECK (kind IN ('lane', 'started', 'ended', 'rules'))
);

CREATE INDEX queue_changes_in_order ON queue_changes (txn, id);

CREATE TABLE rules (
	id INTEGER NOT NULL,
	version BIGINT NOT NULL,
	lane_version BIGINT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT rules_one_row CHECK (id = 1)
);

CREATE TABLE run_keys (
	kind TEXT COLLATE "C" NOT NULL,
	location_name TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	time DOUBLE PRECISION NOT NULL,
	run_key TEXT COLLATE "C" NOT NULL,
	run_id TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (kind, location_name, name, time, run_key),
	CONSTRAINT run_keys_scope CHECK (kind = 'schedule' OR (kind = 'sensor' AND time = 0))
);

CREATE TABLE runs (
	id BIGSERIAL NOT NULL,
	run_id TEXT COLLATE "C" NOT NULL,
	job_name TEXT COLLATE "C" NOT NULL,
	location_name TEXT COLLATE "C" NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	np BIGINT DEFAULT '0' NOT NULL,
	tags TEXT NOT NULL,
	run_config TEXT NOT NULL,
	pools TEXT NOT NULL,
	attempt INTEGER DEFAULT '0' NOT NULL,
	began_attempt INTEGER DEFAULT '0' NOT NULL,
	ended_attempt INTEGER DEFAULT '0' NOT NULL,
	launch_token TEXT COLLATE "C",
	queue_seq BIGINT,
	launch_seq BIGINT,
	created_at DOUBLE PRECISION NOT NULL,
	queued_at DOUBLE PRECISION,
	launched_at DOUBLE PRECISION,
	started_at DOUBLE PRECISION,
	canceling_at DOUBLE PRECISION,
	ended_at DOUBLE PRECISION,
	failure TEXT,
	lane TEXT COLLATE "C",
	lane_version BIGINT DEFAULT '0' NOT NULL,
	held INTEGER DEFAULT '0' NOT NULL,
	held_by TEXT,
	held_reason TEXT,
	host_id TEXT COLLATE "C",
	pid BIGINT,
	parent_run_id TEXT COLLATE "C",
	root_run_id TEXT COLLATE "C",
	PRIMARY KEY (id),
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
	tick_id TEXT COLLATE "C" NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	location_name TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	time DOUBLE PRECISION NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (tick_id),
	CONSTRAINT ticks_kind_known CHECK (kind IN ('schedule', 'sensor')),
	CONSTRAINT ticks_status_known CHECK (status IN ('STARTED', 'SKIPPED', 'SUCCESS', 'FAILURE'))
);

CREATE INDEX ticks_of_instigator ON ticks (kind, location_name, name, time);

CREATE UNIQUE INDEX ticks_one_per_time ON ticks (kind, location_name, name, time) WHERE kind = 'schedule';

CREATE TABLE run_tags (
	run_no BIGINT NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	value TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (run_no, key),
	FOREIGN KEY(run_no) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX run_tags_by_value ON run_tags (key, value, run_no);

INSERT INTO rules (id, version, lane_version, body) VALUES (1, 0, 0, '{}');
