package report

import (
	"crypto/sha256"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// teller is a way by which facts are told. Each tells a fact once; what it tells
// again is a repetition, or another fact.
type teller uint8

// The tellers, the one that knows best last.
const (
	byTraffic teller = iota
	byReport         // JSON: a hook, a script, an agent
	byLogs           // what the agent exports itself
	tellers
)

// tellerSet is a set of tellers.
type tellerSet uint8

func (s tellerSet) has(t teller) bool          { return s&(1<<t) != 0 }
func (s tellerSet) with(t teller) tellerSet    { return s | 1<<t }
func (s tellerSet) meets(other tellerSet) bool { return s&other != 0 }
func (s tellerSet) agent() bool                { return s.has(byReport) || s.has(byLogs) }

// memoKey stands for what a fact is found by. It is a digest, so that a memo
// keeps no word of a prompt.
type memoKey [16]byte

func newMemoKey(parts ...string) memoKey {
	sum := sha256.New()
	for _, part := range parts {
		_, _ = io.WriteString(sum, strconv.Itoa(len(part))+":"+part)
	}
	return memoKey(sum.Sum(nil)[:len(memoKey{})])
}

// memo is what is remembered of a fact that was told.
type memo struct {
	// keys find the fact; the zero key finds nothing. Of a prompt the first
	// stands for its words and the second for its length.
	keys    [2]memoKey
	ids     [tellers]memoKey
	told    tellerSet
	outcome string // of a decision
	single  bool   // there is but one fact with these keys
	at      time.Time
	held    *heldRecord // nil once it was passed on
}

// words reports whether the words of a prompt are known.
func (m *memo) words() bool { return m.keys[0] != memoKey{} }

// newMemo returns the memo of a record that several may tell, nil for any other.
func newMemo(r events.Record, now time.Time) *memo {
	conversation := r.Scope.ConversationID
	if conversation == "" {
		return nil
	}
	m := &memo{at: now}
	switch event := r.Event.(type) {
	case *events.ConversationStarts:
		m.keys[0] = newMemoKey(conversation, "starts")
	case *events.UserPrompt:
		if r.Source == events.SourceWire || event.Prompt.Set && event.Prompt.Value != events.Redacted {
			m.keys[0] = newMemoKey(conversation, "prompt", strings.TrimSpace(event.Prompt.Value))
		}
		m.keys[1] = newMemoKey(conversation, "length", strconv.FormatInt(event.Length, 10))
	case *events.ToolDecision:
		m.keys[0] = newMemoKey(conversation, "decision", event.CallID)
		m.outcome = events.Outcome(event.Decision)
	case *events.ToolResult:
		if event.CallID.Value == "" {
			return nil
		}
		m.keys[0] = newMemoKey(conversation, "result", event.CallID.Value)
		m.single = true
	default:
		return nil
	}
	return m
}
