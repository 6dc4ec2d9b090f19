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
