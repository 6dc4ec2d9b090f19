package session

import (
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// Call is one HTTP attempt whose outcome is known.
type Call struct {
	Scope    *events.Scope
	Endpoint string
	Sum      uint64 // of the body
	Auth     uint64 // of the credentials, never the credentials themselves
	Arrived  time.Time
	Answered time.Time
	Status   int // 0 when no response came
	// RetryAfter reports that the response told the agent how long to wait.
	RetryAfter bool
	// Told is the number of the attempt as the agent itself says it.
	Told events.Opt[int64]
}

// attemptState is the last attempt of a conversation at one endpoint.
type attemptState struct {
	call   Call
	number int64
	loop   int64 // attempts of a request loop, 0 until one was seen to end
}

// Attempt returns the number of the attempt, from 0, and whether it repeats one
// that was answered 401 with other credentials. Codex numbers the attempts of a
// request loop; a stream that has to be asked for again starts a new loop with
// the same body, which shows in the wait before it: Codex waits 200 ms before
// the first retry and twice as long before each next one.
func (t *Tracker) Attempt(call Call) (number int64, afterUnauthorized bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	state := t.conversation(call.Scope.ConversationID, call.Answered)
	state.scope = call.Scope
	last := state.last[call.Endpoint]
	next := &attemptState{call: call}
	if last != nil && last.call.Sum == call.Sum {
		next.loop = last.loop
		afterUnauthorized = last.call.Status == 401 && last.call.Auth != call.Auth
		if !afterUnauthorized && retriedByRequest(last.call) {
			next.number = last.number + 1
		}
		if next.number > 0 && (next.number == next.loop || tooSoon(last, call)) {
			next.number, next.loop = 0, last.number+1
		}
	}
	if call.Told.Set {
		next.number = call.Told.Value
	}
	state.last[call.Endpoint] = next
	return next.number, afterUnauthorized
}

// retriedByRequest reports whether the agent's HTTP client retries such an
// outcome by itself.
func retriedByRequest(call Call) bool {
	if call.Status == 0 || call.Status >= 500 {
		return true
	}
	return call.Scope.Profile.Seed() && (call.Status == 401 || call.Status == 429)
}

// tooSoon reports whether call came long before the wait that a further attempt
// of the same loop would have kept.
func tooSoon(last *attemptState, call Call) bool {
	if last.call.RetryAfter || last.number == 0 || last.number > 20 {
		return false
	}
	wait := 200 * time.Millisecond << last.number
	return call.Arrived.Sub(last.call.Answered) < wait*8/10
}
