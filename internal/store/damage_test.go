package store

import (
	"bytes"
	"testing"
)

// TestDamagedPayloads cuts a stored payload at every byte and changes every bit of it: it comes back as it was, or not at
// all. (A fuzz target here would instrument all of SQLite; what reads the payload has one, otlp's FuzzFilter.)
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
	for i := 1; i < len(stored); i++ { // of nothing comes nothing
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
