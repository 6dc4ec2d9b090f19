package session_test

import (
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// TestAttemptOfRealRuns replays when Codex releases really asked again and with
// what outcome, and wants the numbers that they gave the attempts themselves.
func TestAttemptOfRealRuns(t *testing.T) {
	tests := map[string]struct {
		version  string
		arrivals []int // milliseconds
		statuses []int
		want     []int64
	}{
		"0.45 refused": {
			"0.45.0",
			[]int{0, 252, 698, 1613, 1861, 2120, 2623, 3441, 3855, 4104, 4562, 5511},
			[]int{401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401},
			[]int64{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3},
		},
		"0.58 refused": {
			"0.58.0",
			[]int{0, 281, 749, 1674, 1963, 2215, 2671, 3483, 3941, 4240, 4681, 5589},
			[]int{401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401},
			[]int64{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3},
		},
		"0.45 server errors":  {"0.45.0", []int{0, 254, 673}, []int{500, 503, 200}, []int64{0, 1, 2}},
		"0.45 limited":        {"0.45.0", []int{0, 272}, []int{429, 200}, []int64{0, 1}},
		"0.45 broken stream":  {"0.45.0", []int{0, 288}, []int{200, 200}, []int64{0, 0}},
		"0.125 refused":       {"0.125.0", []int{0, 358, 818}, []int{401, 401, 401}, []int64{0, 0, 0}},
		"0.169 server errors": {"0.169.0", []int{0, 212, 643}, []int{500, 503, 200}, []int64{0, 1, 2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tracker := session.New(session.Config{})
			start := time.Unix(0, 0)
			for i, ms := range test.arrivals {
				arrived := start.Add(time.Duration(ms) * time.Millisecond)
				got, after := tracker.Attempt(session.Call{
					Scope:    &events.Scope{ConversationID: "c", Profile: events.CodexProfile(test.version)},
					Endpoint: "/responses", Sum: 7, Auth: 1,
					Arrived: arrived, Answered: arrived.Add(2 * time.Millisecond), Status: test.statuses[i],
				})
				if got != test.want[i] || after {
					t.Errorf("Attempt() of request %d = %d, %t; want %d, false", i, got, after, test.want[i])
				}
			}
		})
	}
}

func TestAttemptOfAnotherBodyIsTheFirst(t *testing.T) {
	tracker := session.New(session.Config{})
	for sum := range uint64(3) {
		got, _ := tracker.Attempt(session.Call{Scope: &events.Scope{ConversationID: "c"}, Endpoint: "/responses", Sum: sum, Status: 500})
		if got != 0 {
			t.Errorf("Attempt() = %d; want 0", got)
		}
	}
}

func TestAttemptAfterUnauthorized(t *testing.T) {
	tracker := session.New(session.Config{})
	call := session.Call{Scope: &events.Scope{ConversationID: "c"}, Endpoint: "/responses", Auth: 1, Status: 401}
	tracker.Attempt(call)
	call.Auth, call.Status = 2, 200
	if number, after := tracker.Attempt(call); number != 0 || !after {
		t.Errorf("Attempt() = %d, %t; want 0, true", number, after)
	}
}

func TestTrackerIsBounded(t *testing.T) {
	tracker := session.New(session.Config{MaxConversations: 2})
	for _, id := range []string{"a", "b", "c"} {
		tracker.Attempt(session.Call{Scope: &events.Scope{ConversationID: id}, Endpoint: "/responses"})
	}
	if remembered, evicted := tracker.Stats(); remembered != 2 || evicted != 1 {
		t.Errorf("Stats() = %d, %d; want 2, 1", remembered, evicted)
	}
	if _, ok := tracker.Scope("a"); ok {
		t.Error("Scope() finds the oldest conversation; want it forgotten")
	}
	if scope, ok := tracker.Scope("c"); !ok || scope.ConversationID != "c" {
		t.Errorf("Scope() = %v, %t; want c", scope, ok)
	}
}
