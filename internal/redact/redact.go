// Package redact decides what of the content is told, and takes the credentials out
// of it, before anything is stored, shown or exported.
//
// A [Recorder] stands in front of every exporter, feed and store, behind the
// merging of what was seen and what was reported: that compares the real texts. A
// [Scanner] knows credentials by the rules of gitleaks (gitleaks.toml, as published)
// and by those of rules.toml beside it. Its cost is that of one pass for keywords;
// a rule's regular expression sees only what follows a keyword of it.
//
//	recorder := redact.New(redact.Config{Next: sinks, Scanner: redact.NewScanner()})
package redact

import (
	"sync"

	"github.com/codex-proxy/codex-proxy/events"
)

// Config says what is told. The zero value of a policy tells all.
type Config struct {
	// Next takes the records; nil if only [Recorder.Told] is used.
	Next events.Recorder
	// Uncounted leaves what is replaced out of the Scanner's counts: the records come
	// again elsewhere.
	Uncounted bool
	// Scanner takes credentials out of every text; nil leaves them in.
	Scanner *Scanner
	// Prompts are the texts of prompts. Their length is told in any case.
	Prompts Policy
	// Arguments and Outputs are those of tools.
	Arguments, Outputs Policy
}

// Recorder is an events.Recorder that passes on what may be told. What it was given
// stays as it is. It is safe for concurrent use.
type Recorder struct {
	cfg     Config
	scopes  memo[events.Scope]
	origins memo[events.Origin]
	plain   *plain
}

var _ events.Recorder = (*Recorder)(nil)

// New returns a Recorder.
func New(cfg Config) *Recorder { return &Recorder{cfg: cfg, plain: newPlain()} }

// Record implements events.Recorder.
func (f *Recorder) Record(r events.Record) { f.cfg.Next.Record(f.Told(r)) }

// Told returns what Record passes on.
func (f *Recorder) Told(r events.Record) events.Record {
	switch event := r.Event.(type) {
	case *events.SSEEvent:
		// Most have no text, and are many.
		if event.ErrorMessage != "" || event.Usage != nil {
			r.Event = events.EditEvent(event, f.field)
		}
	case *events.Foreign:
		r.Event = f.foreign(event)
	default:
		r.Event = events.EditEvent(event, f.field)
	}
	if r.Scope != nil {
		r.Scope = f.toldOf(r.Scope)
	}
	if r.Remarks != nil {
		if extra, changed := f.pairs(r.Remarks.Extra); changed {
			r.Remarks = &events.Remarks{Extra: extra, Disagreement: r.Remarks.Disagreement}
		}
	}
	return r
}

// Attributes that are content, in whatever record.
const (
	keyPrompt    = "prompt"
	keyArguments = "arguments"
	keyOutput    = "output"
)

// policy returns the policy of an attribute, nil if it has none.
func (f *Recorder) policy(key string) *Policy {
	switch key {
	case keyPrompt:
		return &f.cfg.Prompts
	case keyArguments:
		return &f.cfg.Arguments
	case keyOutput:
		return &f.cfg.Outputs
	default:
		return nil
	}
}

// field is an events.Edit.
func (f *Recorder) field(key, text string) (told string, ok bool) {
	if p := f.policy(key); p != nil {
		return p.apply(text, f.scan)
	}
	return f.other(text), true
}

// scan returns text without credentials.
func (f *Recorder) scan(text string) string {
	if f.cfg.Scanner == nil {
		return text
	}
	short := len(text) <= maxPlainBytes
	if short && f.plain.has(text) {
		return text
	}
	clean, classes := f.cfg.Scanner.text(text)
	if short && classes == nil {
		f.plain.add(text)
	}
	f.count(classes)
	return clean
}

// count counts what was replaced.
func (f *Recorder) count(classes []int) {
	if !f.cfg.Uncounted {
		f.cfg.Scanner.count(classes)
	}
}

// other returns what is told of a text that is no content.
func (f *Recorder) other(text string) string {
	told, _ := (&Policy{}).apply(text, f.scan)
	return told
}

// toldScope is what a Recorder tells of a scope.
type toldScope struct {
	by       *Recorder
	of, told *events.Scope
}

// toldOf returns what may be told of a scope, and looks at each once.
func (f *Recorder) toldOf(scope *events.Scope) *events.Scope {
	if scope.Memo == nil {
		return f.scopes.get(scope, f.scope)
	}
	if known, ok := scope.Memo.Load(events.MemoTold).(*toldScope); ok && known.by == f && known.of == scope {
		return known.told
	}
	made := f.scope(scope)
	scope.Memo.Store(events.MemoTold, &toldScope{by: f, of: scope, told: made})
	return made
}

// scope returns what may be told of a scope.
func (f *Recorder) scope(scope *events.Scope) *events.Scope {
	told := events.EditScope(scope, func(_, text string) (string, bool) { return f.other(text), true })
	metadata, changed := f.pairs(told.Metadata)
	resource := told.Resource
	if resource != nil {
		if version := f.other(resource.ServiceVersion); version != resource.ServiceVersion {
			resource = &events.Resource{ServiceName: resource.ServiceName, ServiceVersion: version, Environment: resource.Environment}
		}
	}
	if changed || resource != told.Resource {
		edited := *told
		edited.Metadata, edited.Resource = metadata, resource
		return &edited
	}
	return told
}

// maxMemo bounds what is remembered of scopes and origins.
const maxMemo = 1024

// memo remembers what was made of shared values, so that each is looked at once.
type memo[T any] struct {
	mu   sync.RWMutex
	made map[*T]*T
}

// get returns what from becomes.
func (m *memo[T]) get(from *T, by func(*T) *T) *T {
	m.mu.RLock()
	made, ok := m.made[from]
	m.mu.RUnlock()
	if ok {
		return made
	}
	made = by(from)
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.made[from]; ok {
		return known
	}
	if m.made == nil || len(m.made) >= maxMemo {
		m.made = make(map[*T]*T)
	}
	m.made[from] = made
	return made
}
