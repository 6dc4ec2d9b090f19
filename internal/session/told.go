package session

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// news is what is new in a request.
type news struct {
	conversation string
	starts       bool
	seen         time.Time // when the conversation was seen first
	approval     string
	agent        string
	facts        []fact // in the order of the input
}

// fact is a prompt, or a call with its output.
type fact struct {
	entry *responses.Entry
	id    string // of the prompt
	call  responses.Call
	since time.Time // when the call was made, zero if nobody saw it
}

// read finds what is new in the items of a request, and remembers them. The
// caller holds the tracker's mu.
func (e *Exchange) read(c *conversation, a *Arrival, meta *metadata) news {
	if policy := a.Input.Environment.ApprovalPolicy; policy != "" {
		c.approval = policy
	}
	first := !c.turn
	n := news{conversation: c.id, seen: c.seen, approval: c.approval, agent: meta.agent}
	var fresh []*responses.Entry
	if e.kind == ofTurn {
		n.starts = first && c.starts(a, meta, e.tracker.cfg.Started)
		fresh = c.listen(heard{
			input: a.Input, previous: a.Request.PreviousResponseID, body: a.Request.Sum, rewritten: e.scope.Profile.Codex,
			copied: meta.copied, at: a.At,
		})
	}
	for i := range a.Input.Entries {
		entry := &a.Input.Entries[i]
		switch {
		case entry.Prompt == nil && (e.kind == ofTurn || e.kind == ofCompaction):
			if call, since, ok := e.answered(c, a, entry, first && meta.copied, first); ok {
				n.facts = append(n.facts, fact{entry: entry, call: call, since: since})
			}
		case len(fresh) > 0 && entry == fresh[0]:
			fresh = fresh[1:]
			if id := promptID(c.id, e.scope.TurnID, a.Request.PreviousResponseID, entry); c.told.add(id) {
				n.facts = append(n.facts, fact{entry: entry, id: id})
			}
		}
	}
	if e.kind == ofCompaction {
		c.compacted = true
	}
	return n
}

// starts reports whether the first request of a turn is that of a new
// conversation, and not of one that was there before the proxy. The history of a
// fork tells nothing of that, but its id has the time when it was made.
func (c *conversation) starts(a *Arrival, meta *metadata, since time.Time) bool {
	if strings.HasSuffix(meta.initialized, "_fork") {
		made, ok := madeAt(c.id)
		return ok && !made.Before(since.Truncate(time.Millisecond))
	}
	warmed := c.seen.Before(a.At) || a.Request.PreviousResponseID == ""
	return !a.Input.Model && warmed && meta.compactions == 0 && (meta.initialized == "" || meta.initialized == "new")
}

// madeAt returns when an id was made that is a UUID of version 7 (RFC 9562 §5.7),
// as the ids of Codex's threads are.
func madeAt(id string) (at time.Time, ok bool) {
	digits := strings.ReplaceAll(id, "-", "")
	if len(digits) != 32 || digits[12] != '7' {
		return at, false
	}
	ms, err := strconv.ParseInt(digits[:12], 16, 64)
	return time.UnixMilli(ms), err == nil
}

// promptID identifies a prompt by its place.
func promptID(conversation, turn, previous string, entry *responses.Entry) string {
	return events.UserPromptID(
		conversation, turn, previous, strconv.Itoa(entry.Index), strconv.FormatInt(entry.Offset, 10), strconv.Itoa(len(entry.Prompt.Text)),
	)
}

// answered returns the call that an output is for, if that has not been told
// yet, and takes it for told. copied says that the history may be that of another
// conversation, first that nothing was seen of this one. The caller holds mu.
func (e *Exchange) answered(c *conversation, a *Arrival, entry *responses.Entry, copied, first bool) (call responses.Call, since time.Time, ok bool) {
	if entry.CallID == "" || c.results.has(entry.CallID) {
		return call, since, false
	}
	t := e.tracker
	switch waited := c.pendingCall(entry.CallID); {
	case waited != nil:
		call, since = waited.call, waited.at
		t.take(c, waited)
	case !entry.Tail, copied, first && t.flight.has([]byte(entry.CallID)):
		return call, since, false // History, here or of another conversation.
	default:
		if call, ok = callOf(a.Input, entry.CallID); !ok {
			t.counts.Orphans++
			c.leave(orphan{callID: entry.CallID, output: entry.Output, at: a.At, scope: e.scope})
			return call, since, false
		}
	}
	c.results.add(entry.CallID)
	return call, since, true
}

func callOf(input *responses.Input, id string) (responses.Call, bool) {
	for _, call := range input.Calls {
		if call.ID == id {
			return call, true
		}
	}
	return responses.Call{}, false
}

// tell makes the records of what is new.
func (e *Exchange) tell(n news, a *Arrival, meta *metadata) {
	if n.starts {
		e.record(e.conversationStarts(n, a, meta), events.ConversationStartsID(n.conversation), n.seen)
	}
	for i := range n.facts {
		fact := &n.facts[i]
		if fact.entry.Prompt != nil {
			prompt := fact.entry.Prompt.Text
			e.record(&events.UserPrompt{Length: int64(utf8.RuneCountInString(prompt)), Prompt: events.Some(prompt)}, fact.id, a.At)
			continue
		}
		told := newResult(fact.call, fact.entry.Output, e.scope.Profile)
		told.image = fact.entry.Image
		e.result(told, n, fact.since, a.At)
	}
}

// result makes the records of a call and its output.
func (e *Exchange) result(r result, n news, since, at time.Time) {
	if decision := r.decision(n.approval); decision != nil {
		e.record(decision, events.ToolDecisionID(n.conversation, r.call.ID, decision.Decision, decision.Decider.Value), at)
	}
	event := r.event(since, at)
	event.AgentName = events.NonEmpty(n.agent)
	e.record(event, events.ToolResultID(n.conversation, r.call.ID), at)
}

func (e *Exchange) record(event events.Event, id string, at time.Time) {
	e.records = append(e.records, events.Record{Event: event, Scope: e.scope, Time: at, ID: id})
}

func (e *Exchange) conversationStarts(n news, a *Arrival, meta *metadata) *events.ConversationStarts {
	event := &events.ConversationStarts{
		ReasoningEffort:  events.NonEmpty(a.Request.ReasoningEffort),
		ReasoningSummary: events.NonEmpty(a.Request.ReasoningSummary),
	}
	if !e.scope.Profile.Codex {
		return event
	}
	event.ApprovalPolicy = events.NonEmpty(n.approval)
	event.SandboxPolicy = events.NonEmpty(first(meta.sandbox, a.Input.Environment.SandboxPolicy))
	servers := a.Input.MCPServers
	if namesServersFirst(e.scope.Profile) {
		servers = a.Input.ToolPrefixes
	}
	if a.Input.Tools || len(servers) > 0 {
		event.MCPServers = events.Some(strings.Join(servers, ", "))
	}
	return event
}
