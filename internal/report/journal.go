package report

import (
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// Journal keeps what waits in a Merger, so that it outlives the process. It is
// called where traffic is observed and must not wait for a disk.
type Journal interface {
	// Keep notes a record that waits, in place of an earlier one under the same
	// key. A process that ends before Forget has it recorded by the next one.
	Keep(key uint64, r events.Record)
	// Forget ends what Keep began: the record, or what it became a part of, was
	// passed on.
	Forget(key uint64)
}

// noJournal is the Journal of a Merger without one.
type noJournal struct{}

func (noJournal) Keep(uint64, events.Record) {}
func (noJournal) Forget(uint64)              {}

// firstKey is where the keys of a Merger begin: above those of earlier ones.
func firstKey() uint64 { return uint64(max(0, time.Now().UnixMicro())) }
