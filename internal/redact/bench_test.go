package redact

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// sources returns size bytes of this repository's code and documents: what a tool
// reads to a model.
func sources(tb testing.TB, size int) string {
	tb.Helper()
	var b strings.Builder
	for _, pattern := range []string{"../report/*.go", "../../docs/*", "../../proxy/*.go", "../otlp/*.go", "../../config/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue // Tests have credentials of their own.
			}
			content, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			b.Write(content)
		}
	}
	return strings.Repeat(b.String(), size/b.Len()+1)[:size]
}

// BenchmarkText measures texts without a credential, and one with many.
func BenchmarkText(b *testing.B) {
	s := newScanner(b)
	texts := map[string]string{
		"prompt": "Please fix the failing test in the parser, and say why it failed.",
		"1 KiB":  sources(b, 1<<10), "100 KiB": sources(b, 100<<10), "512 KiB": sources(b, 512<<10),
		"512 KiB JSON": fmt.Sprintf("%q", sources(b, 500<<10)),
		"dense":        strings.Repeat("password=\"\" token: key = ", 20000),
		"found":        strings.Repeat("export AWS_KEY=AKIA"+"Z7QX3MPL5WKR2VNT\n", 2000),
	}
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s.Text(text)
			}
		})
	}
}

// BenchmarkNewScanner measures what a start costs.
func BenchmarkNewScanner(b *testing.B) {
	for b.Loop() {
		newScanner(b)
	}
}

// BenchmarkDelta measures what the records that are most pay.
func BenchmarkDelta(b *testing.B) {
	recorder := New(Config{Next: events.Discard{}, Scanner: newScanner(b)})
	record := events.Record{
		Event: &events.SSEEvent{Kind: events.Some("response.output_text.delta"), DurationMS: events.Some(int64(3))},
		Scope: &events.Scope{ConversationID: "019a-conversation", Model: "gpt-5", Resource: &events.Resource{ServiceName: "codex-cli"}, Memo: new(events.Memo)},
	}
	b.ReportAllocs()
	for b.Loop() {
		recorder.Record(record)
	}
}

// BenchmarkExchange measures what a request and its stream pay beside the deltas: some
// texts are new with each, most are the same as before.
func BenchmarkExchange(b *testing.B) {
	recorder := New(Config{Next: events.Discard{}, Scanner: newScanner(b)})
	resource := &events.Resource{ServiceName: "codex-cli", ServiceVersion: "0.169.0", Environment: "dev"}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		id := fmt.Sprintf("019a7b3c-5d1e-7f20-%04x-%012x", n&0xffff, n)
		scope := events.Scope{
			ConversationID: "019a7b3c-5d1e-7f20-9c3a-5b6d7e8f9012", AppVersion: "0.169.0", AuthMode: "ApiKey", Originator: "codex_exec",
			TerminalType: "unknown", Model: "gpt-5", Slug: "gpt-5", TurnID: id, RequestID: id, Resource: resource, Memo: new(events.Memo),
		}
		named := scope
		named.ResponseID = "resp_" + id
		recorder.Record(events.Record{Scope: &scope, Event: &events.APIRequest{
			StatusCode: events.Some(int64(200)), CFRay: id[19:], Endpoint: "/responses", HeaderName: "authorization", Method: "POST",
		}})
		recorder.Record(events.Record{Scope: &named, Event: &events.SSEEvent{
			Kind: events.Some("response.completed"), Usage: &events.Usage{Input: 1}, ServiceTier: "auto", ReasoningEffort: "medium", EndedBy: "completed",
		}})
	}
}
