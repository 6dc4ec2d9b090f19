package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

func BenchmarkItem(b *testing.B) {
	h, _ := newTest(b, Config{})
	item := with("tool_result", `"call_id":"k1","arguments":"{\"command\":[\"ls\"]}","duration_ms":12,"output":"`+strings.Repeat("line\\n", 400)+`"`)
	b.SetBytes(int64(len(item)))
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := one(h, item); problems != nil {
			b.Fatal(problems)
		}
	}
}

// BenchmarkWorstRequest is the dearest body that fits the limits: as many
// unknown keys as may be, each long enough to look for its likes.
func BenchmarkWorstRequest(b *testing.B) {
	h, _ := newTest(b, Config{})
	var item strings.Builder
	item.WriteString(`{"event.name":"conversation_starts"`)
	for i := range maxKeys - 1 {
		item.WriteString(`,"auto_compact_toxxx_` + strings.Repeat("l", i%6) + string(rune('A'+i)) + `":1`)
	}
	item.WriteString("}\n")
	body := strings.Repeat(item.String(), DefaultMaxItems)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		request, recorder := newExchange(body, "")
		h.ServeHTTP(recorder, request)
		if recorder.Code != 400 {
			b.Fatalf("status = %d; want 400", recorder.Code)
		}
	}
}

func BenchmarkMergerPasses(b *testing.B) {
	m := NewMerger(MergerConfig{Next: events.Discard{}, Grace: grace})
	r := seen("w", &events.SSEEvent{})
	b.ReportAllocs()
	for b.Loop() {
		m.Record(r)
	}
}

func BenchmarkMergerMerges(b *testing.B) {
	m := NewMerger(MergerConfig{Next: events.Discard{}, Grace: grace})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		call := fmt.Sprint("k", i)
		m.Record(seen("w"+call, result(call)))
		m.Record(reported("a"+call, result(call)))
	}
}

// BenchmarkLogs takes a batch as large as Codex exports it.
func BenchmarkLogs(b *testing.B) {
	var records []nativeRecord
	for len(records) < 512 {
		records = append(records, exportedBy(b)["0.169.0"]...)
	}
	request := exportRequest(b, records[:512])
	asProto, err := request.MarshalProto()
	if err != nil {
		b.Fatal(err)
	}
	asJSON, err := request.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	for contentType, body := range map[string][]byte{protoType: asProto, jsonType: asJSON} {
		b.Run(contentType, func(b *testing.B) {
			h := New(Config{})
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if got := postLogs(b, h, body, "Content-Type", contentType); got.status != 200 {
					b.Fatal(got.status)
				}
			}
		})
	}
}
