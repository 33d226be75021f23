ALTER TABLE runs ADD COLUMN resumes INTEGER DEFAULT '0' NOT NULL;

ALTER TABLE runs ADD COLUMN stop_failure TEXT CONSTRAINT runs_stop_failure_canceling CHECK (stop_failure IS NULL OR status = 'CANCELING');

CREATE INDEX runs_by_root ON runs (root_run_id) WHERE root_run_id IS NOT NULL;

CREATE TABLE pool_waiters (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	pool TEXT NOT NULL,
	run_id TEXT NOT NULL,
	step_key TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	slots BIGINT NOT NULL,
	np BIGINT NOT NULL,
	since DOUBLE NOT NULL,
	CONSTRAINT pool_waiters_positive CHECK (slots > 0),
	FOREIGN KEY(pool) REFERENCES pool_counters (pool)
);

CREATE INDEX pool_waiters_in_order ON pool_waiters (pool, np, seq);

CREATE UNIQUE INDEX pool_waiters_once ON pool_waiters (run_id, step_key, attempt, pool);

CREATE TABLE policies (
	id INTEGER NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT policies_one_row CHECK (id = 1)
);

INSERT INTO policies (id, body) VALUES (1, '{}');
