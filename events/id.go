package events

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
)

// ID derives an event.id from what identifies a fact: the same parts give the
// same id, on any machine and after any restart. The parts are not recoverable
// from it.
func ID(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		// The length keeps ("a", "bc") and ("ab", "c") apart.
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
