package responses_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// history returns a request of about size bytes: a conversation of tool calls
// with outputs as code has them, and the next prompt.
func history(size int) []byte {
	line := `\tif err := f(\"some text\", x); err != nil {\n\t\treturn fmt.Errorf(\"read %s: %w\", name, err)\n\t}\n`
	output := strings.Repeat(line, 80)
	var b strings.Builder
	b.WriteString(`{"model":"gpt-5-codex","instructions":"` + strings.Repeat("Be brief. ", 2000) + `","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"go on"}]}`)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `,{"type":"reasoning","id":"rs_%d","summary":[],"encrypted_content":"%s"}`, i, strings.Repeat("gAAAAAB", 150))
		fmt.Fprintf(&b, `,{"type":"function_call","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"cat x%d\"]}","call_id":"call_%d"}`, i, i)
		fmt.Fprintf(&b, `,{"type":"function_call_output","call_id":"call_%d","output":"Exit code: 0\nWall time: 0 seconds\nOutput:\n%s"}`, i, output)
	}
	b.WriteString(`,{"type":"message","role":"user","content":[{"type":"input_text","text":"and now?"}]}],"stream":true}`)
	return []byte(b.String())
}

// BenchmarkInspector looks at a history in the chunks in which a proxy passes it
// on. The floor is what it costs to read the top level alone, seen what it costs
// when the body was read before.
func BenchmarkInspector(b *testing.B) {
	for _, size := range []int{1 << 20, 20 << 20} {
		body := history(size)
		for name, items := range map[string]bool{"items": true, "floor": false, "seen": true} {
			var remembered *responses.History
			if name == "seen" {
				remembered = responses.NewHistory(0)
			}
			b.Run(fmt.Sprintf("%dMB/%s", size>>20, name), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					inspector := responses.NewInspector(responses.InspectorConfig{Items: items, InFlight: func([]byte) bool { return false }, History: remembered, Bytes: int64(len(body))})
					for chunk := range slices.Chunk(body, 16<<10) {
						inspector.Write(chunk)
					}
					if input := inspector.Input(); items && (len(input.Entries) != 2 || !inspector.Done()) {
						b.Fatalf("%d entries; want 2", len(input.Entries))
					}
				}
			})
		}
	}
}

// BenchmarkInspectorGrown looks at a history that was read before and has grown since: what costs is what is new.
func BenchmarkInspectorGrown(b *testing.B) {
	before := history(1 << 20)
	read := func(remembered *responses.History, body []byte) {
		inspector := responses.NewInspector(responses.InspectorConfig{
			Items: true, InFlight: func([]byte) bool { return false }, History: remembered, Bytes: int64(len(body)),
		})
		for chunk := range slices.Chunk(body, 16<<10) {
			inspector.Write(chunk)
		}
		if !inspector.Done() {
			b.Fatal("not read to its end")
		}
	}
	for _, grown := range []int{4 << 10, 64 << 10, 256 << 10, 1 << 20} {
		body := history(1<<20 + grown)
		b.Run(fmt.Sprintf("1MB+%dKB", grown>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				remembered := responses.NewHistory(0)
				read(remembered, before)
				b.StartTimer()
				read(remembered, body)
			}
		})
	}
}
