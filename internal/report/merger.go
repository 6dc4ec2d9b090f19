package report

import (
	"sync"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// Limits of a Merger unless MergerConfig says otherwise.
const (
	DefaultMaxHeld      = 4096
	DefaultMaxHeldBytes = 16 << 20
	DefaultMaxFacts     = 32 << 10
)

// MergerConfig says how a Merger merges. The zero value of a limit means its
// default.
type MergerConfig struct {
	// Next takes what is passed on; never nil.
	Next events.Recorder
	// Grace is how long a record waits for others to tell the same fact. With 0
	// nothing waits, and what is told later is left out.
	Grace time.Duration
	// MaxHeld and MaxHeldBytes bound what waits. Past them the oldest record is
	// passed on at once.
	MaxHeld, MaxHeldBytes int
	// Journal keeps what waits; nil means that a crash loses it.
	Journal Journal
	// MaxFacts bounds the facts that are remembered, so that what is told again is
	// left out.
	MaxFacts int
}

// Merger is the Recorder that makes one record of what the traffic showed and the
// agent reported of the same fact, whichever comes first. It stands in front of
// redaction: the words of a prompt say which prompts are the same, and what
// waits here is in no log. A [Journal] keeps it as Next would.
//
// A prompt is known by its words, or by its length where a report is redacted; a
// tool's decision and result by the id of the call; the start of a conversation
// by the conversation. Tellings of equal facts are paired in order. What only the
// traffic tells passes at once and costs a type switch; the records of a
// conversation that wait leave in the order in which they came.
//
// [Merger.Record] takes what the traffic shows and what agents report as JSON,
// the recorder of [Merger.Logs] what they export. It starts no goroutine: Run
// passes on what has waited long enough, and so does every record that comes.
type Merger struct {
	cfg  MergerConfig
	wake chan struct{} // holds at most one reason for Run to look

	mu      sync.Mutex
	key     uint64 // of the record that waited last
	recall  *recall
	waiting *waitingRoom
	exports bool // an agent exports here, so that its telling is worth a wait
	closed  bool

	stats mergeCounters
}

var _ events.Recorder = (*Merger)(nil)

// NewMerger returns a Merger. Run it.
func NewMerger(cfg MergerConfig) *Merger {
	if cfg.MaxHeld <= 0 {
		cfg.MaxHeld = DefaultMaxHeld
	}
	if cfg.MaxHeldBytes <= 0 {
		cfg.MaxHeldBytes = DefaultMaxHeldBytes
	}
	if cfg.MaxFacts <= 0 {
		cfg.MaxFacts = DefaultMaxFacts
	}
	if cfg.Journal == nil {
		cfg.Journal = noJournal{}
	}
	return &Merger{
		cfg: cfg, wake: make(chan struct{}, 1), key: firstKey(), recall: newRecall(cfg.MaxFacts), waiting: newWaitingRoom(),
	}
}

// Record implements events.Recorder.
func (m *Merger) Record(r events.Record) {
	by := byReport
	if r.Source == events.SourceWire {
		switch r.Event.(type) {
		case *events.ConversationStarts, *events.UserPrompt, *events.ToolDecision, *events.ToolResult:
		default:
			m.cfg.Next.Record(r)
			return
		}
		by = byTraffic
	}
	m.take(r, by)
}

// Logs returns the Recorder for what agents export themselves.
func (m *Merger) Logs() events.Recorder { return logsOf{m} }

// logsOf is the Merger as the logs endpoint sees it.
type logsOf struct{ m *Merger }

// Record implements events.Recorder.
func (l logsOf) Record(r events.Record) { l.m.take(r, byLogs) }

// take passes a record on, lets it wait, merges it or leaves it out.
func (m *Merger) take(r events.Record, by teller) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.release(now)
	m.exports = m.exports || by == byLogs
	var id memoKey
	if r.ID != "" {
		id = newMemoKey("id", string(rune('0'+by)), r.ID)
		if m.recall.byID[id] != nil {
			m.stats.suppressed[suppressedRepeat].Add(1)
			return
		}
	}
	fact := newMemo(r, now)
	switch {
	case fact == nil && by == byTraffic:
		m.cfg.Next.Record(r)
		return
	case fact == nil:
		fact = &memo{at: now} // Found by its id alone.
	case m.recall.toldBy(fact, by):
		m.stats.suppressed[suppressedRepeat].Add(1)
		return
	default:
		if known := m.recall.find(fact, by, now); known != nil {
			m.again(known, fact, r, by, id)
			return
		}
	}
	m.first(fact, r, by, id)
}

// first takes a fact that nobody has told.
func (m *Merger) first(fact *memo, r events.Record, by teller, id memoKey) {
	fact.told = fact.told.with(by)
	if oldest := m.recall.add(fact); oldest != nil {
		m.stats.forgotten.Add(1)
		if oldest.held != nil {
			m.stats.overflow.Add(1)
			m.pass(oldest.held)
		}
	}
	m.recall.identify(fact, by, id)
	alone := fact.keys == [2]memoKey{}
	size := heldBytes(r)
	if alone || m.closed || m.cfg.Grace <= 0 {
		m.cfg.Next.Record(r)
		return
	}
	if size > m.cfg.MaxHeldBytes {
		m.stats.overflow.Add(1)
		m.cfg.Next.Record(r)
		return
	}
	for m.waiting.all.Len() >= m.cfg.MaxHeld || m.waiting.bytes+size > m.cfg.MaxHeldBytes {
		m.stats.overflow.Add(1)
		m.pass(m.waiting.oldest())
	}
	m.key++
	m.waiting.enter(&heldRecord{key: m.key, memo: fact, record: r, best: by, size: size, due: fact.at.Add(m.cfg.Grace)})
	m.cfg.Journal.Keep(m.key, r)
	if m.waiting.all.Len() == 1 {
		m.signal()
	}
}

// again takes a fact that somebody else has told.
func (m *Merger) again(known, fact *memo, r events.Record, by teller, id memoKey) {
	known.told = known.told.with(by)
	m.recall.identify(known, by, id)
	if !known.words() && fact.words() {
		known.keys[0] = fact.keys[0]
		m.recall.index(known, fact.keys[0])
	}
	held := known.held
	if held == nil || held.ready {
		reason := suppressedReport
		if by == byTraffic {
			reason = suppressedTraffic
		}
		m.stats.suppressed[reason].Add(1)
		return
	}
	m.merge(held, r, by)
	if known.told.has(byTraffic) && (known.told.has(byLogs) || !m.exports) {
		m.pass(held)
	}
	if known.held != nil {
		m.cfg.Journal.Keep(held.key, held.record)
	}
}

// merge merges a telling into a record that waits.
func (m *Merger) merge(held *heldRecord, r events.Record, by teller) {
	if by > held.best {
		held.record, held.best = events.Merge(r, held.record), by
	} else {
		held.record = events.Merge(held.record, r)
	}
	m.waiting.resize(held)
}

// pass ends the wait of a record. It goes on in its turn.
func (m *Merger) pass(held *heldRecord) {
	held.ready = true
	for _, h := range m.waiting.leave(held.record.Scope.ConversationID) {
		if !h.absorbed {
			m.stats.passed(h.record)
			m.cfg.Next.Record(h.record)
		}
		m.cfg.Journal.Forget(h.key)
	}
}
