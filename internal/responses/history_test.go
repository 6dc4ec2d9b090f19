package responses

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// talk returns the requests of a conversation: each has the history of the one before and something new.
func talk(seed uint64) []string {
	random := rand.New(rand.NewPCG(seed, 0))
	text := func() string { return strings.Repeat(`a\"b\\ \u00e9{[`, random.IntN(12)) }
	var items, requests []string
	for turn := range 12 {
		for range random.IntN(5) {
			id := fmt.Sprintf("call_%d", random.IntN(30))
			items = append(items, []string{
				`{"type":"message","role":"user","content":[{"type":"input_text","text":"` + text() + `"}]}`,
				`{"type":"message","role":"assistant","id":"` + id + `","content":[{"type":"output_text","text":"` + text() + `"}]}`,
				`{"type":"function_call","name":"shell","arguments":"` + text() + `","call_id":"` + id + `"}`,
				`{"type":"function_call_output","call_id":"` + id + `","output":"` + text() + `"}`,
				`{"type":"reasoning","id":"` + id + `","encrypted_content":"` + text() + `"}`,
				`{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>\n<sandbox_mode>read-only</sandbox_mode>"}]}`,
			}[random.IntN(6)])
		}
		if random.IntN(5) == 0 && len(items) > 2 {
			items = slices.Delete(items, 1, 2) // an agent that edits its history
		}
		head := `{"model":"m","instructions":"` + strings.Repeat("x", 50) + `","input":[`
		tail := `],"tools":[{"type":"function","name":"mcp__s__t"}],"stream":true}`
		if turn%4 == 3 {
			tail = tail[:random.IntN(len(tail))]
		}
		requests = append(requests, head+strings.Join(items, ",")+tail)
	}
	return requests
}

// TestHistoryChangesNothing reads conversations with and without what is remembered of them.
func TestHistoryChangesNothing(t *testing.T) {
	spared := 0
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 1))
		history := NewHistory([]int{0, 1 << 20}[random.IntN(2)])
		history.block = 32 + random.IntN(200)
		inFlight := fmt.Sprintf("call_%d", random.IntN(30))
		for _, body := range slices.Concat(talk(seed), talk(seed), talk(seed+1)) {
			cfg := InspectorConfig{Items: true, InFlight: func(id []byte) bool { return string(id) == inFlight }}
			if strings.Contains(body, `"function_call_output","call_id":"`+inFlight+`"`) {
				inFlight = "" // its output is here, and nobody waits for it any more
			}
			plain := NewInspector(cfg)
			if cfg.History = history; random.IntN(2) == 0 {
				cfg.Bytes = int64(len(body))
			}
			again := NewInspector(cfg)
			for rest := []byte(body); len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(300))
				plain.Write(rest[:n])
				again.Write(rest[:n])
				rest = rest[n:]
				if again.reached != nil {
					spared++
				}
				if random.IntN(40) == 0 {
					compareInspectors(t, seed, plain, again)
				}
			}
			if plain.Done() != again.Done() && strings.HasSuffix(body, "}") {
				t.Fatalf("seed %d: Done() = %v; want %v", seed, again.Done(), plain.Done())
			}
			compareInspectors(t, seed, plain, again)
			if diff := cmp.Diff(plain.Input(), again.Input()); diff != "" {
				t.Fatalf("seed %d: inputs (-plain +remembered):\n%s\nof %s", seed, diff, body)
			}
		}
	}
	if spared < 1000 {
		t.Errorf("something was spared at %d writes; want more", spared)
	}
}

func compareInspectors(t *testing.T, seed uint64, plain, again *Inspector) {
	t.Helper()
	if diff := cmp.Diff(plain.Request(), again.Request()); diff != "" {
		t.Fatalf("seed %d: requests (-plain +remembered):\n%s", seed, diff)
	}
}

// TestHistoryReadsWhatIsNew counts the bytes that are read of a long request.
func TestHistoryReadsWhatIsNew(t *testing.T) {
	history := NewHistory(0)
	read := func(body string) int64 {
		i := NewInspector(InspectorConfig{Items: true, History: history, Bytes: int64(len(body))})
		for chunk := range slices.Chunk([]byte(body), 16<<10) {
			i.Write(chunk)
		}
		if !i.Done() {
			t.Fatal("not read to its end")
		}
		return i.bytes - i.since
	}
	item := `,{"type":"function_call_output","call_id":"a","output":"` + strings.Repeat("x", 4000) + `"},{"type":"reasoning"}`
	body := func(items int) string { return `{"input":[{}` + strings.Repeat(item, items) + `]}` }
	if got := read(body(500)); got < 2_000_000 {
		t.Errorf("%d bytes read of a new body; want all", got)
	}
	if got := read(body(501)); got > 2*blockBytes {
		t.Errorf("%d bytes read of a body with %d new ones; want at most two blocks", got, len(item))
	}
	if got := read(`{"model":"m",` + body(500)[1:]); got < 2_000_000 {
		t.Errorf("%d bytes read of a body that begins otherwise; want all", got)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	history := NewHistory(512 << 10)
	for n := range 200 {
		i := NewInspector(InspectorConfig{Items: true, History: history})
		i.Write([]byte(fmt.Sprintf(`{"model":"m%d","input":[`, n) + strings.Repeat(`{"type":"reasoning","summary":[],"encrypted_content":"gAAAAA"},`, 3000) + `1]}`))
	}
	if history.bytes > 512<<10 || len(history.items) != history.order.Len() || len(history.items) == 0 {
		t.Errorf("%d bytes in %d of %d checkpoints; want at most 512 KiB", history.bytes, len(history.items), history.order.Len())
	}
}
