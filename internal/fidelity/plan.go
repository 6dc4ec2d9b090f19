package fidelity

import (
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
)

// MaxBytes is the size of the largest stream.
const MaxBytes = 8 << 20

// plan is how a response is made.
type plan struct {
	random   *rand.Rand
	status   int
	header   http.Header
	newlines int // index of the newline style
	offset   int // in the pool, where the body begins
	size     int // of the body before compression
	slices   int // most bytes of one write
	gzip     bool
	length   bool // sent with a Content-Length
	trailer  bool
}

// newPlan draws response n.
func newPlan(r *rand.Rand, n int) plan {
	p := plan{
		random: r, status: http.StatusOK, header: http.Header{"Date": {"Mon, 23 Nov 2026 10:20:30 GMT"}},
		newlines: r.IntN(3), offset: r.IntN(poolBytes), size: size(r, n), gzip: r.IntN(4) == 0, trailer: r.IntN(16) == 0,
	}
	p.slices = 1 << r.IntN(17)
	if p.size > 1<<16 {
		p.slices = max(p.slices, 1<<10)
	}
	if r.IntN(10) == 0 {
		statuses := []int{http.StatusAccepted, http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests, 599}
		p.status = statuses[r.IntN(len(statuses))]
	}
	switch r.IntN(10) {
	case 0:
		p.header.Set("Content-Type", "application/json")
	case 1:
		p.header["Content-Type"] = nil // none, and none guessed
	case 2:
		p.header.Set("Content-Type", "TEXT/Event-Stream; charset=\"utf-8\"")
	default:
		p.header.Set("Content-Type", "text/event-stream")
	}
	if p.gzip {
		p.header.Set("Content-Encoding", "gzip")
	}
	p.length = !p.gzip && !p.trailer && r.IntN(4) == 0
	p.header.Set("X-Request-Id", "req_"+strings.Repeat("x", r.IntN(40)))
	p.header["Set-Cookie"] = []string{"a=1; Path=/", "b=2"}
	p.header["X-Odd"] = []string{"", "\tä \x80", "a,b;c=\"d\"", strings.Repeat("long ", r.IntN(400))}
	if r.IntN(2) == 0 {
		p.header.Set("Retry-After", "1")
		p.header.Set("Connection", "close")
	}
	return p
}

// size draws the size of a body between one byte and MaxBytes, small ones more
// often; one of a thousand has either bound.
func size(r *rand.Rand, n int) int {
	switch n % 1000 {
	case 0:
		return 1
	case 1:
		return MaxBytes
	}
	u := r.Float64()
	return int(math.Exp2(u * u * u * math.Log2(MaxBytes)))
}

// chunk draws the size of a write. The first bytes come one by one now and then.
func (p *plan) chunk(written int) int {
	if written < 64 && p.random.IntN(4) == 0 {
		return 1
	}
	return 1 + p.random.IntN(p.slices)
}

// flushes draws whether what was written leaves at once.
func (p *plan) flushes(written int) bool {
	return written < 4096 || p.random.IntN(4) == 0
}
