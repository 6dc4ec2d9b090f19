package store

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// TestDamagedPayloads cuts a stored payload at every byte and changes every bit of it: it comes back as it was, or not at
// all. (A fuzz target here would instrument all of SQLite; what reads the payload has two, outbox's FuzzEntry and otlp's FuzzFilter.)
func TestDamagedPayloads(t *testing.T) {
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	payload := bytes.Repeat([]byte("a record of some length, "), 40)
	stored := c.compress(payload)
	check := func(what string, at int, damaged []byte) {
		if got, ok := c.expand(damaged); ok && !bytes.Equal(got, payload) {
			t.Errorf("%s at %d: %q comes back; want nothing", what, at, got)
		}
	}
	for i := range stored {
		check("cut", i, stored[:i])
	}
	damaged := bytes.Clone(stored)
	for bit := range 8 * len(stored) {
		damaged[bit/8] ^= 1 << (bit % 8)
		check("changed", bit, damaged)
		damaged[bit/8] ^= 1 << (bit % 8)
	}
	if got, ok := c.expand(damaged); !ok || !bytes.Equal(got, payload) {
		t.Errorf("undamaged, %q comes back", got)
	}
	// A small row that claims to be huge.
	if got, ok := c.expand(c.compress(make([]byte, maxPayload+1))); ok || len(got) > maxPayload {
		t.Errorf("%d bytes come back; want at most %d", len(got), maxPayload)
	}
}

// TestDamagedRowsAreDamaged has rows whose parts do not belong together: they are told to be damaged, and not sent.
func TestDamagedRowsAreDamaged(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for _, id := range []string{"a", "b", "c", "d"} {
		s.Append(entry(0, id))
		synced(t, s)
	}
	crash(s)
	for i, damage := range []string{"payload = x''", "records = 7", "payload = x'00'"} {
		script(t, dir, fmt.Sprintf("UPDATE batches SET %s WHERE id = (SELECT id FROM batches ORDER BY id LIMIT 1 OFFSET %d)", damage, i))
	}
	s = open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"d"}, waiting(t, s)); diff != "" || s.Stats().Unreadable != 3 {
		t.Errorf("waiting (-want +got), Stats() = %+v:\n%s", s.Stats(), diff)
	}
	balance(t, s)
	if ever, _ := s.Ledger(); ever.Total().Settled[outbox.Damaged] != 3 {
		t.Errorf("ledger = %+v; want three damaged", ever.Total())
	}
}
