package responses

import (
	"strconv"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// maxSupply bounds what is made ahead. A record that somebody keeps holds on to
// so many others.
const maxSupply = 8

// supply makes what the records of a stream consist of, several at a time and
// more and more of them: deltas come by the thousand, and an allocation for each
// would cost more than telling it.
type supply struct {
	made   int // at a time
	events []events.SSEEvent

	ids   string         // one after another
	ends  [maxSupply]int // of each in ids
	first int64          // number of the first
	last  int64          // of the last
}

// event returns an event to fill in, the same one until it is taken.
func (s *supply) event() *events.SSEEvent {
	if len(s.events) == 0 {
		s.made = min(max(1, 2*s.made), maxSupply)
		s.events = make([]events.SSEEvent, s.made)
	}
	return &s.events[0]
}

// take makes the event the caller's.
func (s *supply) take() { s.events = s.events[1:] }

// id returns prefix, a dash and a number. The numbers asked for count up.
func (s *supply) id(prefix string, n int64) string {
	if s.ids == "" || n > s.last {
		s.number(prefix, n)
	}
	start, at := 0, n-s.first
	if at > 0 {
		start = s.ends[at-1]
	}
	return s.ids[start:s.ends[at]]
}

// number makes ids from n on.
func (s *supply) number(prefix string, n int64) {
	const longest = len("-9223372036854775807")
	count := max(1, s.made)
	var (
		all    strings.Builder
		digits [longest]byte
	)
	all.Grow(count * (len(prefix) + 1 + len(strconv.AppendInt(digits[:0], n+maxSupply, 10))))
	for i := range count {
		all.WriteString(prefix)
		all.WriteByte('-')
		all.Write(strconv.AppendInt(digits[:0], n+int64(i), 10))
		s.ends[i] = all.Len()
	}
	s.ids, s.first, s.last = all.String(), n, n+int64(count)-1
}
