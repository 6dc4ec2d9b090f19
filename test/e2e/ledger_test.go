package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
	"github.com/codex-proxy/codex-proxy/test/statedir"
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

// ledger reads the books of the proxy and checks that they balance. What is queued there is what has no fate; that it waits is
// seen when the proxy has ended.
func (p *proxy) ledger(t *testing.T) {
	t.Helper()
	// Also after the test, whose context has ended then.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startTimeout)
	defer cancel()
	status, text := get(ctx, t, p.url+"/codex-proxy/v1/ledger")
	p.served = []byte(text)
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

// stateDir returns the state directory of a command that serves, as its environment says.
func stateDir(command *exec.Cmd) string {
	var dir string
	for _, variable := range command.Env {
		switch name, value, _ := strings.Cut(variable, "="); name {
		case "XDG_STATE_HOME":
			dir = filepath.Join(value, "codex-proxy")
		case "CODEX_PROXY_STORE_DIR":
			dir = value
		}
	}
	if command.SysProcAttr != nil {
		dir = filepath.Join(command.SysProcAttr.Chroot, dir)
	}
	return dir
}

// leaves checks what a proxy that ended in an orderly way has left: books that tell of what is there, and no credentials. Every
// test ends with it.
func (p *proxy) leaves(t *testing.T) {
	t.Helper()
	end := statedir.End{
		Dir: p.state, Log: p.log.String(), Ledger: p.served,
		Secrets: []string{agentKey, receiver.CLIKey, exportKey, contentKey},
	}
	for _, problem := range end.Problems(context.WithoutCancel(t.Context())) {
		t.Error(problem)
	}
}
