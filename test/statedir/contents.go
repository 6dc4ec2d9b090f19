package statedir

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite" // The driver.
)

// observed is the row of the ledger that is no fate.
const observed = "observed"

// contents is what a database has.
type contents struct {
	booked   map[string]map[string]int64 // records by event name and by fate, or observed
	waiting  map[string]int64            // records in batches, by event name
	held     int64                       // records that are in no book yet
	problems []string                    // batches that are not what their row says, and what look found
}

// read reads a copy of a database, so that who is started there next finds it as it was left. Each payload is looked into.
func read(ctx context.Context, dir string, look func(place string, payload []byte) (problems []string)) (*contents, error) {
	aside, err := os.MkdirTemp("", "codex-proxy-state")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(aside) }()
	if err := os.CopyFS(aside, os.DirFS(dir)); err != nil {
		return nil, fmt.Errorf("copy state: %w", err)
	}
	file := filepath.Join(aside, "state.db")
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c := &contents{booked: map[string]map[string]int64{}, waiting: map[string]int64{}}
	if err := c.readBooks(ctx, db); err != nil {
		return nil, fmt.Errorf("read books: %w", err)
	}
	if err := c.readPayloads(ctx, db, look); err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	return c, nil
}

func (c *contents) readBooks(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT event, fate, records FROM ledger")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, fate string
		var n int64
		if err := rows.Scan(&name, &fate, &n); err != nil {
			return err
		}
		if c.booked[name] == nil {
			c.booked[name] = map[string]int64{}
		}
		c.booked[name][fate] = n
	}
	return rows.Err()
}

// readPayloads counts the records themselves, and by the names that they came under.
func (c *contents) readPayloads(ctx context.Context, db *sql.DB, look func(string, []byte) []string) error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer decoder.Close()
	for table, counts := range map[string]string{"batches": "counts", "held": "counts", "history": "'{}'"} {
		rows, err := db.QueryContext(ctx, "SELECT records, "+counts+", payload FROM "+table)
		if err != nil {
			return err
		}
		err = c.readRows(rows, decoder, table, look)
		rows.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *contents) readRows(rows *sql.Rows, decoder *zstd.Decoder, table string, look func(string, []byte) []string) error {
	for rows.Next() {
		var n int64
		var text, stored []byte
		if err := rows.Scan(&n, &text, &stored); err != nil {
			return err
		}
		payload, err := decoder.DecodeAll(stored, nil)
		if err != nil {
			return err
		}
		c.problems = append(c.problems, look("table "+table, payload)...)
		c.add(table, n, text, payload)
	}
	return rows.Err()
}

// add takes a row.
func (c *contents) add(table string, records int64, text, payload []byte) {
	there, err := count(payload)
	counts := map[string]int64{}
	if err == nil {
		err = json.Unmarshal(text, &counts)
	}
	if err != nil || there != records {
		c.problems = append(c.problems, fmt.Sprintf("a row of %s says it has %d records, and has %d: %v", table, records, there, err))
	}
	switch table {
	case "batches":
		named := int64(0)
		for name, n := range counts {
			if c.booked[name] == nil {
				name = "other" // Many names share this account.
			}
			c.waiting[name] += n
			named += n
		}
		if named != there {
			c.problems = append(c.problems, fmt.Sprintf("a batch of %d records names %v", there, counts))
		}
	case "held":
		c.held += there
	}
}

// count returns how many records an ExportLogsServiceRequest has.
func count(payload []byte) (n int64, err error) {
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(payload, request); err != nil {
		return 0, err
	}
	for _, resource := range request.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			n += int64(len(scope.GetLogRecords()))
		}
	}
	return n, nil
}

// waits returns how many records wait.
func (c *contents) waits() (n int64) {
	for _, waiting := range c.waiting {
		n += waiting
	}
	return n
}

// unbalanced returns the accounts that do not tell of what waits.
func (c *contents) unbalanced() (problems []string) {
	for name := range c.waiting {
		if c.booked[name] == nil {
			problems = append(problems, fmt.Sprintf("%d records of %s wait, and are in no book", c.waiting[name], name))
		}
	}
	for name, account := range c.booked {
		open := 2 * account[observed]
		for fate, n := range account {
			open -= n
			if n < 0 {
				problems = append(problems, fmt.Sprintf("%d records of %s are %s", n, name, fate))
			}
		}
		if open != c.waiting[name] {
			problems = append(problems, fmt.Sprintf("by the books %d records of %s wait, on disk there are %d: %v", open, name, c.waiting[name], account))
		}
	}
	return problems
}
