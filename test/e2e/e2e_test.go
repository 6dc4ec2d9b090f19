// Package e2e_test runs the binary as it is shipped, between a mock of the Responses API and the Collector's own receiver, and
// released Codex CLIs with and without it. CODEX_E2E_VERSIONS, a list with commas, names other versions or dist-tags of them
// to run, such as "latest". What runs in a chroot needs root and is skipped otherwise.
package e2e_test

import (
	"cmp"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// clis returns the CLIs to run, installed.
func clis(t *testing.T) []codexcli.CLI {
	t.Helper()
	var list []codexcli.CLI
	versions := cmp.Or(os.Getenv("CODEX_E2E_VERSIONS"), codexcli.Oldest+","+codexcli.Newest)
	for version := range strings.SplitSeq(versions, ",") {
		cli, err := codexcli.Install(t.Context(), strings.TrimSpace(version))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, cli)
	}
	return list
}

// waitFor returns the records in sink once enough reports true for them, which it must within ten seconds.
func waitFor(t *testing.T, sink *receiver.Sink, enough func([]receiver.Record) bool) []receiver.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	records, err := sink.WaitFor(ctx, enough)
	if err != nil {
		t.Errorf("%v: %s", err, names(records))
	}
	return records
}

// names lists the event names of records, for messages.
func names(records []receiver.Record) []string {
	list := make([]string, len(records))
	for i := range records {
		list[i] = records[i].Name()
	}
	return list
}
