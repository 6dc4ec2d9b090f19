package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/parity"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestParity runs each CLI with its own telemetry on through the proxy and holds what the proxy exports against what the CLI
// exports, event by event and attribute by attribute. Of CODEX_E2E_VERSIONS it runs each; CODEX_PARITY_PAGE names a file that
// the table is written to, and asks for the full matrix. To look at one difference, CODEX_PARITY_SCENARIO restricts it to scenarios
// whose name begins so, CODEX_PARITY_TRANSPORT to a transport, and CODEX_PARITY_RECORDS names a directory for what was told.
func TestParity(t *testing.T) {
	added, err := parity.Additions(filepath.Join("..", "..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getenv("CODEX_PARITY_PAGE")
	comparer := &parity.Comparer{Additions: added, Expected: parity.Expected()}
	matrix := new(parity.Matrix)
	t.Run("matrix", func(t *testing.T) {
		for _, cli := range clis(t) {
			for _, transport := range transports(t, cli, page != "") {
				full := page != "" && transport != overDeflate // compression makes no difference to what is said
				for _, s := range scenarios(t, cli, transport, full) {
					if only := os.Getenv("CODEX_PARITY_SCENARIO"); only != "" && !strings.HasPrefix(s.name, only) {
						continue
					}
					t.Run(strings.Join([]string{cli.Version, transport, s.name}, " "), func(t *testing.T) {
						t.Parallel()
						r := bothTell(t, cli, transport, &s)
						run := parity.Run{Version: cli.Version, Transport: transport, Scenario: s.name}
						keep(t, &r)
						result := comparer.Compare(run, r.codex, r.proxy, r.failed, unasked(r.requests))
						matrix.Add(result)
						if text := parity.Describe(result.Unexpected); text != "" {
							t.Error(clipped(text))
						}
					})
				}
			}
		}
	})
	if page != "" {
		if err := os.WriteFile(page, matrix.Page(comparer.Expected, time.Now()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// transports returns how a CLI can talk to an upstream: each asks over HTTP, the later ones over a WebSocket.
func transports(t *testing.T, cli codexcli.CLI, full bool) []string {
	t.Helper()
	if only := os.Getenv("CODEX_PARITY_TRANSPORT"); only != "" {
		return []string{only}
	}
	list := []string{overHTTP}
	if !through(t, cli, overSocket, &scenario{}).upgraded {
		return list
	}
	if full {
		return append(list, overSocket, overDeflate)
	}
	return append(list, overDeflate)
}

// keep writes what was told into the directory that was asked for.
func keep(t *testing.T, r *ran) {
	t.Helper()
	dir := os.Getenv("CODEX_PARITY_RECORDS")
	if dir == "" {
		return
	}
	name := strings.ReplaceAll(strings.TrimPrefix(t.Name(), "TestParity/matrix/"), "/", " ")
	write := func(what string, value any) {
		text, err := json.MarshalIndent(value, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+" "+what+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for who, records := range map[string][]receiver.Record{"codex": r.codex, "proxy": r.proxy} {
		var attrs []map[string]any
		for i := range records {
			attrs = append(attrs, records[i].Attrs)
		}
		write(who, attrs)
	}
	var bodies []json.RawMessage
	for _, request := range r.requests {
		bodies = append(bodies, request.Body)
	}
	write("requests", bodies)
}
