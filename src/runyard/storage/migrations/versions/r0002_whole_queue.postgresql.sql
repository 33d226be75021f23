DROP INDEX runs_queued_in_order;

DROP INDEX runs_active_by_lane;

DROP INDEX runs_live_by_lane_version;

CREATE INDEX runs_waiting_in_order ON runs (np, queue_seq) WHERE status = 'QUEUED' AND held = 0;

CREATE INDEX runs_held_in_order ON runs (np, queue_seq) WHERE status = 'QUEUED' AND held = 1;

CREATE INDEX runs_queued_by_lane_version ON runs (lane_version) WHERE status = 'QUEUED';

CREATE INDEX runs_active_by_lane_version ON runs (lane_version) WHERE (status = 'STARTING' OR status = 'STARTED' OR status = 'CANCELING');

CREATE INDEX runs_by_launch ON runs (launched_at) WHERE launched_at IS NOT NULL;

ALTER TABLE runs DROP CONSTRAINT runs_status_known, ADD CONSTRAINT runs_status_known CHECK ((status = 'NOT_STARTED' OR status = 'QUEUED' OR status = 'STARTING' OR status = 'STARTED' OR status = 'CANCELING' OR status = 'SUCCESS' OR status = 'FAILURE' OR status = 'CANCELED')), DROP CONSTRAINT runs_active_has_launch, ADD CONSTRAINT runs_active_has_launch CHECK (NOT (status = 'STARTING' OR status = 'STARTED' OR status = 'CANCELING') OR (launch_token IS NOT NULL AND launch_seq IS NOT NULL AND lane IS NOT NULL AND launched_at IS NOT NULL AND attempt > 0)), DROP CONSTRAINT runs_ended_at_when_finished, ADD CONSTRAINT runs_ended_at_when_finished CHECK ((ended_at IS NOT NULL) = (status = 'SUCCESS' OR status = 'FAILURE' OR status = 'CANCELED'));

ALTER TABLE queue_changes DROP CONSTRAINT queue_changes_kind_known, ADD CONSTRAINT queue_changes_kind_known CHECK ((kind = 'lane' OR kind = 'started' OR kind = 'ended' OR kind = 'rules' OR kind = 'pool'));

ALTER TABLE events DROP CONSTRAINT events_once;

CREATE UNIQUE INDEX events_once ON events (run_id, attempt, seq) WHERE seq IS NOT NULL;

CREATE TABLE audit (
	id BIGSERIAL NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	by TEXT NOT NULL,
	action TEXT COLLATE "C" NOT NULL,
	subject TEXT NOT NULL,
	message TEXT NOT NULL,
	PRIMARY KEY (id)
);

CREATE TABLE pool_counters (
	pool TEXT COLLATE "C" NOT NULL,
	used BIGINT NOT NULL,
	PRIMARY KEY (pool),
	CONSTRAINT pool_counters_not_negative CHECK (used >= 0)
);

CREATE TABLE pool_holders (
	pool TEXT COLLATE "C" NOT NULL,
	run_id TEXT COLLATE "C" NOT NULL,
	step_key TEXT COLLATE "C" NOT NULL,
	attempt INTEGER NOT NULL,
	slots BIGINT NOT NULL,
	since DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (pool, run_id, step_key, attempt),
	CONSTRAINT pool_holders_positive CHECK (slots > 0),
	FOREIGN KEY(pool) REFERENCES pool_counters (pool)
);

CREATE INDEX pool_holders_of_run ON pool_holders (run_id);

CREATE TABLE estimates (
	run_id TEXT COLLATE "C" NOT NULL,
	made_at DOUBLE PRECISION NOT NULL,
	estimated_start DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (run_id)
);

CREATE TABLE left_alone (
	location_name TEXT COLLATE "C" NOT NULL,
	until DOUBLE PRECISION NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (location_name)
);

UPDATE rules SET version = version + 1, lane_version = version + 1 WHERE EXISTS (SELECT 1 FROM runs);

UPDATE rules SET body = '{"configured":' || body || '}' WHERE body <> '{}';

CREATE TABLE queue_counts (
	held INTEGER NOT NULL,
	np BIGINT NOT NULL,
	block BIGINT NOT NULL,
	txn BIGINT DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (held, np, block, txn)
);

INSERT INTO queue_counts (held, np, block, n) SELECT held, np, queue_seq / 1024, count(*) FROM runs WHERE status = 'QUEUED' GROUP BY held, np, queue_seq / 1024;

CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended_at IS NOT NULL;
