CREATE TABLE processes (
	process_id TEXT COLLATE "C" NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (process_id)
);
