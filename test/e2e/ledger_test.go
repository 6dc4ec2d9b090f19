package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
)

// account is what became of the records of an event, as the ledger serves it.
type account struct {
	Observed  float64            `json:"observed"`
	Delivered float64            `json:"delivered"`
	Queued    float64            `json:"queued"`
	Dropped   map[string]float64 `json:"dropped"`
	Rejected  map[string]float64 `json:"rejected"`
}

// balances reports whether every record is accounted for, and no number makes up for another one below zero.
func (a account) balances() bool {
	accounted := a.Delivered + a.Queued
	sane := a.Observed >= 0 && a.Delivered >= 0 && a.Queued >= 0
	for _, counts := range []map[string]float64{a.Dropped, a.Rejected} {
		for _, n := range counts {
			accounted += n
			sane = sane && n >= 0
		}
	}
	return sane && a.Observed == accounted
}

// ledger is what the proxy serves of its books.
type ledger struct {
	Durable bool               `json:"durable"`
	Trouble string             `json:"trouble"`
	Events  map[string]account `json:"events"`
	Total   account            `json:"total"`
	Process account            `json:"process"`
}

// ledger reads the books of the proxy and checks that they balance.
func (p *proxy) ledger(t *testing.T) {
	t.Helper()
	// Also after the test, whose context has ended then.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startTimeout)
	defer cancel()
	status, text := get(ctx, t, p.url+"/codex-proxy/v1/ledger")
	var books ledger
	if err := json.Unmarshal([]byte(text), &books); status != http.StatusOK || err != nil {
		t.Fatalf("ledger = %d, %v; want 200: %s", status, err, text)
	}
	var observed float64
	for name, a := range books.Events {
		if !a.balances() {
			t.Errorf("account of %s = %+v; want it to balance", name, a)
		}
		observed += a.Observed
	}
	if !books.Total.balances() || !books.Process.balances() || books.Total.Observed != observed {
		t.Errorf("total = %+v, process = %+v; want them to balance, with %v observed", books.Total, books.Process, observed)
	}
}

// balance checks the books of a proxy that runs. Every test ends with it.
func (p *proxy) balance(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		return
	default:
	}
	if p.url != "" {
		p.ledger(t)
	}
}
