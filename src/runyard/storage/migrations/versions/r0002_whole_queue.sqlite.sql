DROP INDEX runs_queued_in_order;

DROP INDEX runs_active_by_lane;

DROP INDEX runs_live_by_lane_version;

CREATE INDEX runs_waiting_in_order ON runs (np, queue_seq) WHERE status = 'QUEUED' AND held = 0;

CREATE INDEX runs_held_in_order ON runs (np, queue_seq) WHERE status = 'QUEUED' AND held = 1;

CREATE INDEX runs_queued_by_lane_version ON runs (lane_version) WHERE status = 'QUEUED';

CREATE INDEX runs_active_by_lane_version ON runs (lane_version) WHERE status IN ('STARTING', 'STARTED', 'CANCELING');

CREATE INDEX runs_by_launch ON runs (launched_at) WHERE launched_at IS NOT NULL;

ALTER TABLE queue_changes RENAME TO old_queue_changes;

CREATE TABLE queue_changes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	txn BIGINT DEFAULT 0 NOT NULL,
	kind TEXT NOT NULL,
	lane TEXT,
	run_id TEXT,
	status TEXT,
	CONSTRAINT queue_changes_kind_known CHECK (kind IN ('lane', 'started', 'ended', 'rules', 'pool'))
);

INSERT INTO sqlite_sequence (name, seq) SELECT 'queue_changes', seq FROM sqlite_sequence WHERE name = 'old_queue_changes';

INSERT INTO queue_changes (id, txn, kind, lane, run_id, status) SELECT id, txn, kind, lane, run_id, status FROM old_queue_changes;

DROP TABLE old_queue_changes;

DROP INDEX run_tags_by_value;

ALTER TABLE run_tags RENAME TO old_run_tags;

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

CREATE INDEX run_tags_by_value ON run_tags ("key", value, run_no);

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
