// Package statedir looks at what a proxy left behind that has ended, with none of the proxy's code: tests hold its books
// against what is there.
package statedir

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// dirLine names the state directory in a configuration.
var dirLine = regexp.MustCompile(`(?m)^dir = (".+")$`)

// In returns the state directory that a configuration in TOML names, "" if it names none.
func In(toml string) string {
	line := dirLine.FindStringSubmatch(toml)
	if line == nil {
		return ""
	}
	dir, _ := strconv.Unquote(line[1]) // The line is written with strconv.Quote.
	return dir
}

// End is what is known of a proxy that has ended.
type End struct {
	Dir     string   // its state directory
	Log     string   // what it wrote to standard error
	Ledger  []byte   // the last one that it served; without one, or one that is not durable, the database is not looked at
	Killed  bool     // before it could write and send what it had
	Secrets []string // that must be nowhere
}

// served is a ledger as a proxy serves it.
type served struct {
	Durable bool `json:"durable"`
	Events  map[string]struct {
		Observed  int64            `json:"observed"`
		Delivered int64            `json:"delivered"`
		Dropped   map[string]int64 `json:"dropped"`
		Rejected  map[string]int64 `json:"rejected"`
	} `json:"events"`
}

// Problems returns what is wrong: books that do not tell of what waits on disk, records that the proxy told of and did not
// leave, secrets in its log or in its directory.
func (e *End) Problems(ctx context.Context) []string {
	problems := e.leaks("the log", []byte(e.Log))
	problems = append(problems, e.leakingFiles()...)
	var ledger served
	if len(e.Ledger) > 0 {
		if err := json.Unmarshal(e.Ledger, &ledger); err != nil {
			return append(problems, fmt.Sprintf("ledger %q: %v", e.Ledger, err))
		}
	}
	if !ledger.Durable {
		return problems
	}
	found, err := read(ctx, e.Dir, e.leaks)
	if err != nil {
		return append(problems, err.Error())
	}
	problems = append(problems, found.problems...)
	problems = append(problems, found.unbalanced()...)
	if !e.Killed {
		problems = append(problems, e.unkept(&ledger, found)...)
	}
	return problems
}

// leaks returns which secrets are in a text.
func (e *End) leaks(place string, text []byte) (problems []string) {
	for _, secret := range e.Secrets {
		if at := bytes.Index(text, []byte(secret)); at >= 0 {
			problems = append(problems, fmt.Sprintf("%s has the secret %s: %.200q", place, secret, text[max(0, at-100):]))
		}
	}
	return problems
}

// leakingFiles looks for secrets in all files of the directory, as they are.
func (e *End) leakingFiles() (problems []string) {
	if _, err := os.Stat(e.Dir); err != nil || len(e.Secrets) == 0 {
		return nil
	}
	err := filepath.WalkDir(e.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		problems = append(problems, e.leaks("file "+entry.Name(), text)...)
		return err
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// keptLine is what a proxy says at its end of records that it could not send.
var keptLine = regexp.MustCompile(`msg="telemetry is kept for the next start" records=(\d+)`)

// unkept returns what an orderly end should have left and did not.
func (e *End) unkept(ledger *served, found *contents) (problems []string) {
	for name, account := range ledger.Events {
		told := map[string]int64{observed: account.Observed, "delivered": account.Delivered}
		for _, counts := range []map[string]int64{account.Dropped, account.Rejected} {
			maps.Copy(told, counts)
		}
		for fate, n := range told {
			if kept := found.booked[name][fate]; kept < n {
				problems = append(problems, fmt.Sprintf("%d records of %s were %s, the books on disk have %d", n, name, fate, kept))
			}
		}
	}
	said := int64(0) // Who says nothing has sent everything.
	if match := keptLine.FindStringSubmatch(e.Log); match != nil {
		said, _ = strconv.ParseInt(match[1], 10, 64)
	}
	if waiting := found.waits(); waiting != said {
		problems = append(problems, fmt.Sprintf("%d records wait on disk, the log says %d: %s", waiting, said, strings.TrimSpace(e.Log)))
	}
	if found.held != 0 {
		problems = append(problems, fmt.Sprintf("%d records are still held on disk", found.held))
	}
	return problems
}
