package session

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// Arrival is a request as it came in.
type Arrival struct {
	Header   Headers
	Endpoint responses.Endpoint
	Request  *responses.Request // nil for one that told nothing
	// Input is what the items of the request tell; nil where nobody could look.
	Input *responses.Input
	// ResponseID is the id of a stored response that the request is for.
	ResponseID string
	Resource   events.Resource
	ExchangeID string // unique; names the conversation of an agent that does not
	Auth       uint64 // of the credentials, never the credentials themselves
	At         time.Time
	// Late gets what is known only after Begin: the result of a call whose output
	// was seen before the call; nil for nobody.
	Late events.Recorder
}

// Exchange is one request and its response, as part of a conversation. It takes
// the items of the response.
type Exchange struct {
	tracker *Tracker
	scope   *events.Scope
	records []events.Record
	kind    kind
	owner   uint64 // who sent it, as far as links matter
	derived bool   // the agent does not name the conversation
	makes   bool   // it makes a response
	keeps   bool   // the response can be read again
	reads   bool   // it reads a response
	at      time.Time
	late    events.Recorder
}

var _ responses.Items = (*Exchange)(nil)

// kind is what a request is for.
type kind uint8

const (
	ofTurn       kind = iota // the next step of a turn
	ofWarmUp                 // nothing yet
	ofCompaction             // a summary in the place of the history
	ofOther                  // something beside the conversation
)

// Begin takes a request, and finds out what is new in it.
func (t *Tracker) Begin(a *Arrival) *Exchange {
	if a.Request == nil {
		a.Request = new(responses.Request)
	}
	scope := Identify(a.Header, a.Request, a.Resource, a.ExchangeID)
	meta := metadataOf(a, scope)
	e := &Exchange{tracker: t, kind: kindOf(a, scope, &meta), late: a.Late, scope: scope}
	e.owner, e.at = ownerOf(a.Auth, e.scope.Originator), a.At
	e.makes, e.reads = a.Endpoint.Generates && a.Endpoint.Path == "/responses", a.Endpoint.Stored
	e.keeps = e.makes && !a.Request.Unstored
	e.derived = e.scope.ConversationID == a.ExchangeID
	e.tell(e.find(a, &meta), a, &meta)
	return e
}

// find finds out what is new in a request, and remembers it.
func (e *Exchange) find(a *Arrival, meta *metadata) news {
	t := e.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.derived {
		if id := t.derive(a, e.owner); id != "" {
			e.scope.ConversationID = id
		}
	}
	c := t.conversation(e.scope.ConversationID, a.At)
	c.scope = e.scope
	if c.seen.IsZero() {
		c.seen = a.At
	}
	if e.derived && a.Input != nil {
		t.link(linkKey(byBody, e.owner, bodyValue(a.Request.Sum)), c)
		if key := a.Request.PromptCacheKey; key != "" {
			t.link(linkKey(byCacheKey, e.owner, key), c)
		}
	}
	var n news
	if a.Input != nil {
		t.counts.Cut += a.Input.Cut
		n = e.read(c, a, meta)
	}
	t.weigh(c)
	return n
}

// Scope is what the events of the exchange have in common.
func (e *Exchange) Scope() *events.Scope { return e.scope }

// Records are the events that the request tells of, in the order in which Codex
// tells them: before the request itself.
func (e *Exchange) Records() []events.Record { return e.records }

// Named implements responses.Items.
func (e *Exchange) Named(responseID string) {
	if !e.derived && !e.keeps {
		return
	}
	e.tracker.mu.Lock()
	defer e.tracker.mu.Unlock()
	if e.keeps {
		e.open(responseID)
	}
	if !e.derived {
		return
	}
	if c := e.tracker.known(e.scope.ConversationID); c != nil {
		e.tracker.link(linkKey(byResponse, e.owner, responseID), c)
	}
}

// Item implements responses.Items.
func (e *Exchange) Item(item *responses.Item, at time.Time) {
	if e.kind == ofOther {
		return
	}
	var call responses.Call
	var answer uint64
	switch item.Kind {
	case responses.KindCall:
		call = item.Call()
	case responses.KindModel:
		if sum, some := item.TextSum(); some {
			answer = sum
		}
	default:
		return
	}
	if o, n, ok := e.produced(item.Kind, item.ID(), call, answer, at); ok && e.late != nil {
		told := &Exchange{scope: o.scope}
		told.result(newResult(call, o.output, o.scope.Profile), n, time.Time{}, o.at)
		for _, record := range told.records {
			e.late.Record(record)
		}
	}
}

// produced remembers an item of the response. It returns the output of a call
// that came before it, if one did.
func (e *Exchange) produced(kind responses.Kind, id string, call responses.Call, answer uint64, at time.Time) (o orphan, n news, ok bool) {
	t := e.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.known(e.scope.ConversationID)
	if c == nil {
		return o, n, false
	}
	if e.kind == ofCompaction {
		c.summarized = cmp.Or(answer, c.summarized)
		return o, n, false
	}
	c.answer = cmp.Or(answer, c.answer)
	c.unanswered = c.unanswered[:0]
	if kind == responses.KindCall {
		if o, ok = c.adopt(call.ID); ok {
			t.counts.Orphans--
			c.results.add(call.ID)
		}
		t.wait(c, call, at)
	}
	if e.derived {
		for _, id := range []string{id, call.ID} {
			if id != "" {
				t.link(linkKey(byItem, e.owner, id), c)
			}
		}
	}
	t.weigh(c)
	return o, news{conversation: c.id, approval: c.approval}, ok
}

// metadata is what matters here of Codex's own description of a request.
type metadata struct {
	kind        string // request_kind
	initialized string // how the history came to be: new, cold_resume, ...
	compactions int64  // number of the context window
	sandbox     string // sandbox_mode
	copied      bool   // the history may be that of another thread
	agent       string // agent_name, if it is that of the agent itself
}

// metadataOf reads the description of a request with that scope.
func metadataOf(a *Arrival, scope *events.Scope) metadata {
	said := describedBy(a.Header, a.Request)
	meta := metadata{
		kind: said.text("request_kind"), initialized: said.text("history_initialization"), compactions: said.Get("window_number").Int(),
		sandbox: said.text("sandbox_mode"), copied: scope.ParentID != "" || scope.ForkedFromID != "",
	}
	if said.text("thread_source") == "user" { // A sub-agent gives the name of another.
		meta.agent = said.text("agent_name")
	}
	return meta
}

// kindOf tells what a request is for: Codex says so in its metadata, its older
// releases in the instructions that they give the model.
func kindOf(a *Arrival, scope *events.Scope, meta *metadata) kind {
	switch {
	case a.Request.WarmsUp || meta.kind == "prewarm":
		return ofWarmUp
	case meta.kind == "compaction", scope.Subagent == "compact", a.Endpoint.Path == "/responses/compact",
		a.Input != nil && a.Input.Compacts:
		return ofCompaction
	case a.Endpoint.Path == "/responses/{id}":
		return ofTurn // The answer to an earlier request of one.
	case a.Endpoint.Path != "/responses", a.Header("X-Openai-Memgen-Request") != "", meta.kind != "" && meta.kind != "turn":
		return ofOther
	default:
		return ofTurn
	}
}

// ownerOf keeps apart what must not be linked: ids are unique at one upstream
// only, and one set of credentials leads to one.
func ownerOf(auth uint64, originator string) uint64 {
	return maphash.Comparable(seed, struct {
		auth       uint64
		originator string
	}{auth, originator})
}

// bodyValue spells the sum of a body for a link.
func bodyValue(sum uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, sum))
}
