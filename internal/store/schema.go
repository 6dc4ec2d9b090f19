package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID marks a database as codex-proxy's: "cxpx" in ASCII.
const applicationID = 0x63787078

var (
	errForeign = errors.New("the database belongs to another program")
	errNewer   = errors.New("the database is of a newer version of codex-proxy")
)

// migrations make each schema version from the one before. They are never
// changed, only added to: the length is the version.
func migrations() []string {
	return []string{`
CREATE TABLE meta (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('since', strftime('%Y-%m-%dT%H:%M:%fZ'));
-- Batches that wait for the collector, in the order of their ids. counts is a JSON object of records by event name,
-- payload an ExportLogsServiceRequest compressed with zstd.
CREATE TABLE batches (
	id        INTEGER NOT NULL PRIMARY KEY,
	stored_at INTEGER NOT NULL, -- Unix milliseconds
	records   INTEGER NOT NULL,
	deltas    INTEGER NOT NULL,
	raw_bytes INTEGER NOT NULL,
	counts    TEXT NOT NULL,
	payload   BLOB NOT NULL
) STRICT;
CREATE INDEX batches_with_deltas ON batches (id) WHERE deltas > 0;
-- What became of every record ever observed. fate is "observed", or one of those of the ledger.
CREATE TABLE ledger (
	event   TEXT NOT NULL,
	fate    TEXT NOT NULL,
	records INTEGER NOT NULL,
	PRIMARY KEY (event, fate)
) STRICT, WITHOUT ROWID;
`, `
-- Batches that are not ready to be sent: what they tell may be told by somebody else as well. The next start sends what
-- is still here. Nothing here is in the ledger yet.
CREATE TABLE held (
	key     INTEGER NOT NULL PRIMARY KEY,
	records INTEGER NOT NULL,
	counts  TEXT NOT NULL,
	payload BLOB NOT NULL
) STRICT;
`, `
-- The history, if it is asked for: what was told, deltas of streams left out, oldest first. Times are Unix nanoseconds but
-- for stored_at. payload is an ExportLogsServiceRequest compressed with zstd.
CREATE TABLE history (
	id        INTEGER NOT NULL PRIMARY KEY,
	stored_at INTEGER NOT NULL, -- Unix milliseconds
	first_at  INTEGER NOT NULL,
	last_at   INTEGER NOT NULL,
	records   INTEGER NOT NULL,
	raw_bytes INTEGER NOT NULL,
	payload   BLOB NOT NULL
) STRICT;
CREATE INDEX history_by_time ON history (last_at, records);
-- What follows is known from it, and goes with the row that told of it last. Content is in the records alone.
CREATE TABLE conversations (
	id       TEXT NOT NULL PRIMARY KEY,
	history  INTEGER NOT NULL,
	first_at INTEGER NOT NULL,
	last_at  INTEGER NOT NULL,
	model    TEXT, -- the last one
	agent    TEXT,
	version  TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_by_history ON conversations (history);
CREATE TABLE exchanges (
	id               INTEGER NOT NULL PRIMARY KEY,
	history          INTEGER NOT NULL,
	at               INTEGER NOT NULL,
	ended_at         INTEGER,
	conversation     TEXT,
	turn             TEXT,
	request          TEXT, -- the upstream's id
	response         TEXT,
	transport        TEXT, -- http or websocket
	endpoint         TEXT,
	model            TEXT,
	attempt          INTEGER,
	status           INTEGER,
	duration_ms      INTEGER, -- until the response's headers
	ttft_ms          INTEGER,
	ended_by         TEXT,
	error            TEXT,
	events           INTEGER,
	input_tokens     INTEGER,
	cached_tokens    INTEGER,
	output_tokens    INTEGER,
	reasoning_tokens INTEGER
) STRICT;
CREATE INDEX exchanges_by_history ON exchanges (history);
CREATE INDEX exchanges_by_conversation ON exchanges (conversation, id);
CREATE TABLE prompts (
	id           INTEGER NOT NULL PRIMARY KEY,
	history      INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	conversation TEXT,
	turn         TEXT,
	length       INTEGER
) STRICT;
CREATE INDEX prompts_by_history ON prompts (history);
CREATE INDEX prompts_by_conversation ON prompts (conversation, id);
CREATE TABLE tool_calls (
	conversation    TEXT NOT NULL,
	call            TEXT NOT NULL,
	history         INTEGER NOT NULL,
	at              INTEGER NOT NULL,
	turn            TEXT,
	tool            TEXT,
	decision        TEXT,
	decided_by      TEXT,
	duration_ms     INTEGER,
	success         TEXT,
	arguments_bytes INTEGER,
	output_bytes    INTEGER,
	PRIMARY KEY (conversation, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_calls_by_history ON tool_calls (history);
`}
}

// schemaVersion returns the version of a database, 0 for an empty one. The error
// is errForeign for one that is not ours.
func schemaVersion(ctx context.Context, db querier) (int, error) {
	var id, version, tables int
	for query, to := range map[string]*int{
		"PRAGMA application_id": &id, "PRAGMA user_version": &version, "SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(to); err != nil {
			return 0, fmt.Errorf("read schema: %w", err)
		}
	}
	if id != applicationID && (id != 0 || tables != 0) {
		return 0, errForeign
	}
	return version, nil
}

// migrate brings the schema up to date. It changes nothing in a database that is
// not ours.
func migrate(ctx context.Context, db *sql.DB, steps []string) error {
	version, err := schemaVersion(ctx, db)
	switch {
	case err != nil:
		return err
	case version > len(steps):
		return errNewer
	}
	for ; version < len(steps); version++ {
		if err := migrateTo(ctx, db, version+1, steps[version]); err != nil {
			return fmt.Errorf("migrate to schema %d: %w", version+1, err)
		}
	}
	return nil
}

func migrateTo(ctx context.Context, db *sql.DB, version int, step string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version)
	if _, err := tx.ExecContext(ctx, step+marks); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
