CREATE TABLE processes (
	process_id TEXT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (process_id)
);
