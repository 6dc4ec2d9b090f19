package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestNativeTelemetryArrives proves the harness without the proxy: a CLI talks to the mock, and the telemetry it records of
// that arrives by each of its exporters. What the proxy records is compared with these records.
func TestNativeTelemetryArrives(t *testing.T) {
	exporters := []struct {
		name        string
		contentType string
		exporter    func(r *receiver.Receiver) codexcli.Exporter
	}{
		{"otlp-http binary", "application/x-protobuf", func(r *receiver.Receiver) codexcli.Exporter {
			return codexcli.HTTPExporter(r.HTTPEndpoint(), "binary")
		}},
		{"otlp-http json", "application/json", func(r *receiver.Receiver) codexcli.Exporter {
			return codexcli.HTTPExporter(r.HTTPEndpoint(), "json")
		}},
		{"otlp-grpc", "application/grpc", func(r *receiver.Receiver) codexcli.Exporter {
			return codexcli.GRPCExporter(r.GRPCEndpoint())
		}},
	}
	for _, cli := range clis(t) {
		for _, test := range exporters {
			t.Run(cli.Version+" "+test.name, func(t *testing.T) {
				collector := receiver.Start(t, receiver.Options{})
				cfg := &codexcli.Config{Exporter: test.exporter(collector), LogUserPrompt: true}
				cfg.Exporter.Headers = map[string]string{"x-otlp-api-key": "abc123"}
				records := hello(t, cli, cfg, collector)
				checkHello(t, cli, records)
				for _, batch := range collector.Sink.Batches() {
					if got := batch.Header("Content-Type"); got != test.contentType {
						t.Errorf("exported as %q; want %q", got, test.contentType)
					}
					if got := batch.Header("x-otlp-api-key"); got != "abc123" {
						t.Errorf("exported with key %q; want abc123", got)
					}
				}
			})
		}
	}
}

// TestNativeTelemetryOverTLS is the same for the CLI that can be told whom to trust.
func TestNativeTelemetryOverTLS(t *testing.T) {
	for _, cli := range clis(t) {
		t.Run(cli.Version, func(t *testing.T) {
			if cli.Version == codexcli.Oldest {
				t.Skip("has no such option")
			}
			collector := receiver.Start(t, receiver.Options{TLS: true})
			cfg := &codexcli.Config{Exporter: codexcli.GRPCExporter(collector.GRPCEndpoint()), LogUserPrompt: true}
			cfg.Exporter.CAFile = collector.CAFile()
			checkHello(t, cli, hello(t, cli, cfg, collector))
		})
	}
}

// hello has the CLI say hello to a mock that answers it, and returns what arrives at collector.
func hello(t *testing.T, cli codexcli.CLI, cfg *codexcli.Config, collector *receiver.Receiver) []receiver.Record {
	t.Helper()
	upstream := responsestest.NewServer(t)
	upstream.Once(responsestest.Stream(
		responsestest.Created("resp_1"),
		responsestest.TextDelta("Hello"),
		responsestest.Message("msg_1", "Hello"),
		responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 12, Output: 3}),
	))
	cfg.BaseURL = upstream.BaseURL()
	run := cli.Exec(t, cfg, "say hello, wörld")
	if run.ExitCode != 0 || strings.TrimSpace(run.Stdout) != "Hello" {
		t.Fatalf("exit code %d, stdout %q; want 0, Hello\n%s", run.ExitCode, run.Stdout, run.Stderr)
	}
	if len(run.Contacted) != 0 {
		t.Errorf("wanted to reach %s; want nobody but the mock and the collector", run.Contacted)
	}
	return waitFor(t, collector.Sink, func(records []receiver.Record) bool {
		return slices.ContainsFunc(records, func(r receiver.Record) bool { return r.Attrs["input_token_count"] != nil })
	})
}

// checkHello checks the records of [hello] against what is known of Codex's own.
func checkHello(t *testing.T, cli codexcli.CLI, records []receiver.Record) {
	t.Helper()
	requests := receiver.Named(records, "codex.api_request")
	if len(requests) != 1 {
		t.Fatalf("%d records of requests; want 1: %s", len(requests), names(records))
	}
	want := map[string]any{"attempt": int64(0), "http.response.status_code": int64(200), "app.version": cli.Version, "model": "gpt-5-codex"}
	got := map[string]any{}
	for key := range want {
		got[key] = requests[0].Attrs[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request differs (-want +got):\n%s", diff)
	}
	for key, want := range map[string]any{"env": "staging", "service.name": "codex_exec", "service.version": cli.Version} {
		if got := requests[0].Resource[key]; got != want {
			t.Errorf("resource attribute %s = %v; want %v", key, got, want)
		}
	}

	var kinds []any
	streamed := receiver.Named(records, "codex.sse_event")
	for i := range streamed {
		kinds = append(kinds, streamed[i].Attrs["event.kind"])
	}
	// The last is the record of the tokens: Codex writes two of a completed response.
	wantKinds := []any{
		"response.created", "response.output_text.delta", "response.output_item.done", "response.completed", "response.completed",
	}
	if diff := cmp.Diff(wantKinds, kinds); diff != "" {
		t.Errorf("kinds of events differ (-want +got):\n%s", diff)
	}

	prompts := receiver.Named(records, "codex.user_prompt")
	if len(prompts) != 1 || prompts[0].Attrs["prompt"] != "say hello, wörld" || prompts[0].Attrs["prompt_length"] != "16" {
		t.Errorf("prompts %+v; want one of 16 characters", prompts)
	}
}
