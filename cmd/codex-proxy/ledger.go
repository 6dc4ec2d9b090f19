package main

import (
	"maps"
	"net/http"
	"sync"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// ledgerPath is where the ledger is read.
const ledgerPath = ownPrefix + "/v1/ledger"

// ledgerView is the ledger as it is served.
type ledgerView struct {
	// Durable says whether what waits outlives the process, Trouble why it does not although it should.
	Durable bool   `json:"durable"`
	Trouble string `json:"trouble,omitempty"`
	// Events are the accounts by event name since the first start, Process those since the last one.
	Events  map[string]accountView `json:"events"`
	Total   accountView            `json:"total"`
	Process accountView            `json:"process"`
	// History is absent unless one is kept.
	History *historyView `json:"history,omitempty"`
}

// historyView is the history as the ledger tells of it.
type historyView struct {
	Records int64            `json:"records"`
	Dropped map[string]int64 `json:"dropped"` // since the last start, by reason
}

// accountView is what became of records: observed = delivered + queued + all that were dropped + all that were rejected.
type accountView struct {
	Observed  int64            `json:"observed"`
	Delivered int64            `json:"delivered"`
	Queued    int64            `json:"queued"`
	Dropped   map[string]int64 `json:"dropped"`
	Rejected  map[string]int64 `json:"rejected"`
}

// viewAccount returns an account as it is served. Reasons that did not occur are left out.
func viewAccount(a outbox.Account) accountView {
	view := accountView{
		Observed: a.Observed, Delivered: a.Settled[outbox.Delivered], Queued: a.Queued(),
		Dropped: map[string]int64{}, Rejected: map[string]int64{},
	}
	for _, fate := range outbox.Fates() {
		switch n := a.Settled[fate]; {
		case n == 0 || fate == outbox.Delivered:
		case fate.Rejected():
			view.Rejected[fate.String()] = n
		default:
			view.Dropped[fate.String()] = n
		}
	}
	return view
}

// viewLedger returns a ledger as it is served.
func viewLedger(ever, process outbox.Ledger) ledgerView {
	view := ledgerView{
		Events: make(map[string]accountView, len(ever)), Total: viewAccount(ever.Total()), Process: viewAccount(process.Total()),
	}
	for name, account := range ever {
		view.Events[name] = viewAccount(account)
	}
	return view
}

// ledger returns the books of the service.
func (s *service) ledger() ledgerView {
	if s.exporter == nil {
		return s.unsent.view()
	}
	view := viewLedger(s.exporter.Ledger())
	if s.store != nil {
		stats := s.store.Stats()
		view.Durable, view.Trouble = stats.Durable, stats.Trouble
		if s.history {
			view.History = &historyView{Records: stats.History, Dropped: stats.HistoryDropped}
		}
	}
	return view
}

// serveLedger answers with the ledger.
func (s *service) serveLedger(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = printJSON(w, s.ledger()) // The client is gone if this fails.
}

// unsent counts records that nobody wants to have, so that the ledger balances without an exporter too.
type unsent struct {
	mu    sync.Mutex
	books outbox.Ledger
}

var _ events.Recorder = (*unsent)(nil)

// Record implements events.Recorder.
func (u *unsent) Record(r events.Record) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.books == nil {
		u.books = outbox.Ledger{}
	}
	u.books.ObserveOne(r.Event.EventName())
}

// lose books records that did not come this far.
func (u *unsent) lose(name string, n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.books == nil {
		u.books = outbox.Ledger{}
	}
	u.books.Observe(outbox.Tally{name: n})
	u.books.Settle(outbox.Tally{name: n}, outbox.QueueFull)
}

// view returns the books with every record dropped.
func (u *unsent) view() ledgerView {
	u.mu.Lock()
	defer u.mu.Unlock()
	books := maps.Clone(u.books)
	books.Settle(books.Queued(), outbox.NoExporter)
	return viewLedger(books, books)
}
