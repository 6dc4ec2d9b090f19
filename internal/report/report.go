// Package report takes what agents report themselves, and makes one record of
// what they report and what the traffic showed.
//
// A [Handler] takes prompts, tool decisions, tool results and the start of
// conversations, as flat JSON objects whose keys are the attribute names of the
// catalogue (docs/events.md), and, at [Handler.Logs], what Codex's own exporter
// sends over OTLP/HTTP. A [Merger] stands behind it and behind the traffic.
//
//	curl --json '{"event.name":"user_prompt","conversation.id":"c1","prompt":"hello"}' \
//		http://127.0.0.1:8787/codex-proxy/v1/events
//
// A report is believed but marked: its records have the source "agent". What
// the proxy knows of the conversation from its traffic fills the common
// attributes that the report leaves out. Redaction is the recorder's part
// (package redact), as it is for what was seen on the wire.
//
// The keys, their types and their limits come from the struct tags of package
// events; the OpenAPI document is written from the same table that the handler
// checks with, so neither can drift from the other.
package report

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// Where the handlers are meant to be mounted; the OpenAPI document names
// EventsPath.
const (
	EventsPath  = "/codex-proxy/v1/events"
	OpenAPIPath = "/codex-proxy/v1/openapi.json"
)

// Limits unless Config says otherwise.
const (
	DefaultMaxBodyBytes  = 4 << 20
	DefaultMaxFieldBytes = 1 << 20
	DefaultMaxItems      = 1000
	DefaultReadTimeout   = 30 * time.Second
)

// Scopes knows conversations from their traffic.
type Scopes interface {
	// Scope returns what is known of a conversation, false when nothing is. The
	// scope is shared and must not change afterwards.
	Scope(conversationID string) (*events.Scope, bool)
}

// Config says how reports are taken. The zero value of a field means its
// default.
type Config struct {
	// Recorder takes the accepted records; nil discards them.
	Recorder events.Recorder
	// LogsRecorder takes those of the logs endpoint; nil stands for Recorder. An
	// agent may tell the same by both ways.
	LogsRecorder events.Recorder
	// Scopes may be nil: then only the report speaks of its conversation.
	Scopes Scopes
	// Resource is the resource of conversations that Scopes does not know. Its
	// service.version gives way to the app.version of a report.
	Resource events.Resource
	// MaxBodyBytes bounds a request's body, before and after inflation.
	MaxBodyBytes int64
	// MaxFieldBytes bounds prompt, arguments and output; other fields have
	// tighter bounds of their own.
	MaxFieldBytes int
	// MaxItems bounds the items, or the exported records, of one request.
	MaxItems int
	// ReadTimeout bounds how long a body may take to arrive.
	ReadTimeout time.Duration
	// Sync returns once what was recorded is on disk, or why it is not: a word
	// such as disk_full, or none where it is not meant to be. An answer waits for
	// it. nil means that nothing is meant to be on disk.
	Sync func(context.Context) (durable bool, trouble string)
	// SyncTimeout bounds how long an answer waits.
	SyncTimeout time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger is told once of a rejected report, and at level debug of each
	// request. It never sees a value of a report.
	Logger *slog.Logger
}

// Handler is the http.Handler of EventsPath. It is safe for concurrent use.
type Handler struct {
	config  Config
	catalog catalog
	openAPI []byte
	stats   counters
	warned  atomic.Bool

	logs       logCounters
	logsWarned atomic.Bool

	notDurable atomic.Int64
}

var _ http.Handler = (*Handler)(nil)

// New returns a Handler.
func New(config Config) *Handler {
	if config.Recorder == nil {
		config.Recorder = events.Discard{}
	}
	if config.LogsRecorder == nil {
		config.LogsRecorder = config.Recorder
	}
	if config.MaxBodyBytes <= 0 {
		config.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if config.MaxFieldBytes <= 0 {
		config.MaxFieldBytes = DefaultMaxFieldBytes
	}
	if config.MaxItems <= 0 {
		config.MaxItems = DefaultMaxItems
	}
	if config.ReadTimeout <= 0 {
		config.ReadTimeout = DefaultReadTimeout
	}
	if config.SyncTimeout <= 0 {
		config.SyncTimeout = DefaultSyncTimeout
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{config: config, catalog: newCatalog(config.MaxFieldBytes)}
	h.openAPI = newDocument(h.catalog, config)
	return h
}

// ServeHTTP implements http.Handler: 202 when at least one item was accepted,
// 4xx when none was. The answer is an [Answer] in either case. A 202 comes when
// what was accepted is on disk; it says so when it is not.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer Answer
	err := contained(func() (err error) {
		answer, err = h.take(w, r)
		return err
	})
	status := http.StatusAccepted
	if refusal, ok := errors.AsType[*refusal](err); ok {
		status = refusal.status
		answer.Error = refusal.Error()
		h.stats.refused[refusal.reason].Add(1)
	} else {
		answer.Durable, answer.Trouble = h.sync(r)
	}
	h.log(r, status, answer)
	answer.write(w, status)
}

// contained calls take and makes a refusal of a panic: of what an agent reports
// the rest of the process must not know more than that.
func contained(take func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = refuse(http.StatusInternalServerError, refusedPanic, "codex-proxy failed to take this; it is counted")
		}
	}()
	return take()
}

// take reads, splits, checks and records. Its only errors are refusals.
func (h *Handler) take(w http.ResponseWriter, r *http.Request) (Answer, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return Answer{}, refuse(http.StatusMethodNotAllowed, refusedMethod, "want POST")
	}
	format, err := formatOf(r.Header)
	if err != nil {
		w.Header().Set("Accept-Post", "application/json, application/x-ndjson, application/jsonl")
		return Answer{}, err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return Answer{}, err
	}
	body, err := h.readBody(w, r)
	if err != nil {
		return Answer{}, err
	}
	items, err := split(body, format, h.config.MaxItems)
	if err != nil {
		return Answer{}, err
	}
	var answer Answer
	now := h.config.Now()
	for i, item := range items {
		record, problems := h.decode(item.raw, origin{now: now, key: key, index: i})
		if len(problems) > 0 {
			h.stats.rejected[problems[0].reason].Add(1)
			answer.reject(i, item.line, problems)
			continue
		}
		h.config.Recorder.Record(record)
		h.stats.accept(record.Event.EventName())
		answer.Accepted++
	}
	if answer.Accepted == 0 {
		return answer, refuse(http.StatusBadRequest, refusedItems, "every item was rejected")
	}
	return answer, nil
}

// log says once that an agent reports what is not understood; the counters say
// how often.
func (h *Handler) log(r *http.Request, status int, answer Answer) {
	level := slog.LevelDebug
	bad := status != http.StatusAccepted || answer.Rejected > 0
	if bad && h.warned.CompareAndSwap(false, true) {
		level = slog.LevelWarn
	}
	h.config.Logger.LogAttrs(
		r.Context(), level, "report answered",
		slog.Int("status", status),
		slog.Int("accepted", answer.Accepted),
		slog.Int("rejected", answer.Rejected),
	)
}
