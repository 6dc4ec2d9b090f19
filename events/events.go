// Package events is the catalogue: the facts codex-proxy knows how to tell,
// and the one encoder that turns them into OpenTelemetry attributes.
//
// Names, types and meanings are those of Codex's own telemetry (its codex_otel
// crate); docs/events.md is generated from the struct tags of this package.
// Producers fill a struct, wrap it in a [Record] and hand it to a [Recorder];
// consumers ask an [Encoder] for attributes in the [Schema] they want:
//
//	recorder.Record(events.Record{
//		Event: &events.UserPrompt{Length: 5, Prompt: events.Some("hello")},
//		Scope: scope,
//		Time:  time.Now(),
//	})
//
// The package is a leaf: it knows neither HTTP nor exporters.
package events

import "time"

// Event is one struct of the catalogue. Events are immutable once recorded:
// recorders keep them without copying.
type Event interface {
	// EventName is the value of event.name, such as "codex.api_request".
	EventName() string
	// Summary is one short line without content, for log viewers that show the
	// body of a record first.
	Summary() string
	// Failed reports whether the event tells of a failure.
	Failed() bool
}

// Record is one event with everything that surrounds it. A Record, its Event
// and its Scope are immutable once handed to a Recorder.
type Record struct {
	Event Event
	// Scope is what the events of one exchange have in common. It is shared
	// between records and never nil.
	Scope *Scope
	// Time is when the fact was observed.
	Time time.Time
	// Source says who saw the fact.
	Source Source
	// ID is the event.id: equal for the same fact told twice, so that a backend
	// can drop the second of two deliveries.
	ID string
	// Remarks is what reports add; nil for what the traffic alone shows.
	Remarks *Remarks
}

// Remarks is what reports add to a record.
type Remarks struct {
	// Extra is what the agent reported beyond the catalogue. Its keys are unique
	// and none is one of the event's, the scope's or the envelope's.
	Extra []Pair
	// Disagreement names the attributes of which the traffic and the agent tell
	// different things, joined with a comma and a space; empty for none.
	Disagreement string
}

// Extra returns what the agent reported beyond the catalogue.
func (r Record) Extra() []Pair {
	if r.Remarks == nil {
		return nil
	}
	return r.Remarks.Extra
}

// Disagreement names the attributes of which the traffic and the agent tell
// different things; empty for none.
func (r Record) Disagreement() string {
	if r.Remarks == nil {
		return ""
	}
	return r.Remarks.Disagreement
}

// remarks returns nil for no remarks.
func remarks(extra []Pair, disagreement string) *Remarks {
	if len(extra) == 0 && disagreement == "" {
		return nil
	}
	return &Remarks{Extra: extra, Disagreement: disagreement}
}

// Recorder takes records. It is the seam between those who observe and those
// who export, store or show.
//
// Record never blocks on anything but a short lock, never fails and is safe
// for concurrent use. It takes no context on purpose: emitting ignores the
// cancellation of the request it describes.
type Recorder interface {
	Record(Record)
}

// Source says who saw a fact.
type Source uint8

// The values of telemetry.source.
const (
	SourceWire  Source = iota // read from the traffic
	SourceAgent               // reported by the agent
	SourceBoth                // seen in the traffic and reported
)

// String returns the value of telemetry.source.
func (s Source) String() string {
	switch s {
	case SourceAgent:
		return "agent"
	case SourceBoth:
		return "both"
	default:
		return "wire"
	}
}

// Scope is what the events of one exchange have in common: the attributes on
// every record and the resource they belong to. Empty fields are absent.
type Scope struct {
	ConversationID string `attr:"conversation.id,omitempty" doc:"Conversation the event belongs to: Codex's thread id, or what identifies a conversation of another agent." absent:"nothing on the wire identifies a conversation"`
	AppVersion     string `attr:"app.version,omitempty" doc:"Version of the agent, from its User-Agent." absent:"the agent does not say"`
	AuthMode       string `attr:"auth_mode,omitempty" doc:"How the agent authenticates: ApiKey or ChatGPT." absent:"the wire does not tell; Codex itself leaves it out for a key that a custom provider reads from the environment" differs:"schema codex spells Chatgpt for Codex 0.93 and later, as Codex does"`
	Originator     string `attr:"originator,omitempty" doc:"Front end of the agent, such as codex_exec, from its originator header or User-Agent." absent:"the agent does not say" differs:"in Codex since 0.99; schema codex leaves it out before"`
	AccountID      string `attr:"user.account_id,omitempty" doc:"ChatGPT account id." absent:"not a ChatGPT login"`
	TerminalType   string `attr:"terminal.type,omitempty" doc:"Terminal the agent runs in, from its User-Agent." absent:"the agent does not say"`
	Model          string `attr:"model,omitempty" doc:"Model asked for." absent:"the request names none"`
	Slug           string `attr:"slug,omitempty" doc:"Model family slug; equal to model." absent:"the request names no model"`
	TurnID         string `attr:"turn.id,omitempty" doc:"Turn of the conversation, from Codex's turn metadata." absent:"the agent does not say" differs:"not in Codex"`
	ResponseID     string `attr:"response.id,omitempty" doc:"Id of the response, from its first event that has one." absent:"before the upstream has named it" differs:"not in Codex"`
	RequestID      string `attr:"request.id,omitempty" doc:"The upstream's x-request-id (or x-oai-request-id)." absent:"the upstream sent none" differs:"not in Codex, but for auth.request_id on failures"`
	Repository     string `attr:"vcs.repository.url.full,omitempty" doc:"Remote of the agent's workspace, without credentials." absent:"the agent does not say" differs:"not in Codex, which sends it along with its requests"`
	Commit         string `attr:"vcs.ref.head.revision,omitempty" doc:"Commit that the workspace is at." absent:"the agent does not say" differs:"not in Codex, which sends it along with its requests"`
	SessionID      string `attr:"session.id,omitempty" doc:"Codex's session: the conversation that the user began, with its sub-agents." absent:"it is the conversation itself, or the agent does not say" differs:"not in Codex"`
	Subagent       string `attr:"subagent.kind,omitempty" doc:"What kind of sub-agent the conversation is: review, compact, collab_spawn, ..." absent:"it is none, or the agent does not say" differs:"not in Codex, which sends it along with its requests"`
	ParentID       string `attr:"conversation.parent_id,omitempty" doc:"Conversation that the sub-agent works for." absent:"it is no sub-agent, or does not say" differs:"not in Codex, which sends it along with its requests"`
	ForkedFromID   string `attr:"conversation.forked_from_id,omitempty" doc:"Conversation whose history this one began with." absent:"it is no fork, or the agent does not say" differs:"not in Codex, which sends it along with its requests"`
	ParentTurnID   string `attr:"turn.parent_id,omitempty" doc:"Turn of the other conversation that the sub-agent works for." absent:"it is no sub-agent, or does not say" differs:"not in Codex, which sends it along with its requests"`
	RootTurnID     string `attr:"turn.root_id,omitempty" doc:"Turn of the user that all this is part of." absent:"it is the turn itself, or the agent does not say" differs:"not in Codex, which sends it along with its requests"`
	RequestKind    string `attr:"request.kind,omitempty" doc:"What a request is for that is no step of a turn: prewarm, compaction, memory, ..." absent:"it is a step of a turn, or the agent does not say" differs:"not in Codex, which sends it along with its requests"`
	// Memo is for those who record; nil for a Scope of few records.
	Memo *Memo
	// Metadata is what the user has Codex say about a turn, under turn.metadata.
	Metadata []Pair

	// Resource is the entity the record belongs to; never nil.
	Resource *Resource
	// Profile says which version's habits to follow in the codex schema.
	Profile Profile
}

// Resource is the OpenTelemetry resource of a conversation's records.
// Resources are compared by value and shared.
type Resource struct {
	ServiceName    string // service.name
	ServiceVersion string // service.version, the agent's version; absent when empty
	Environment    string // env
}

// Names returns the names of the catalogue, in the order of its reference page.
func Names() []string {
	return []string{
		NameConversationStarts,
		NameUserPrompt,
		NameAPIRequest,
		NameSSEEvent,
		NameWebSocketConnect,
		NameWebSocketRequest,
		NameWebSocketEvent,
		NameToolDecision,
		NameToolResult,
	}
}

// Tee records everything into each of the recorders, in order.
type Tee []Recorder

// Record implements Recorder.
func (t Tee) Record(r Record) {
	for _, next := range t {
		next.Record(r)
	}
}

// Discard is a Recorder that keeps nothing.
type Discard struct{}

// Record implements Recorder.
func (Discard) Record(Record) {}
