package responses

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/events"
)

// said is what released CLIs made of events, as TestRecordSaid of test/e2e has
// recorded it.
type said struct {
	Versions  []string // that were asked, from old to new
	Documents []answer // error.message of a response.failed event with this data
	Endings   []answer // error.message of the end of a stream after this event
}

// answer is what was said of one event. Said maps a version to the text that it
// was the first to say.
type answer struct {
	Name, Data string
	Said       map[string]string
}

// by returns what a version said.
func (a *answer) by(versions []string, version string) string {
	text := ""
	for _, v := range versions[:slices.Index(versions, version)+1] {
		if newer, ok := a.Said[v]; ok {
			text = newer
		}
	}
	return text
}

func recorded(tb testing.TB) said {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "serde.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var s said
	if err := json.Unmarshal(data, &s); err != nil {
		tb.Fatal(err)
	}
	return s
}

// journal keeps the events of a Turn.
type journal []*events.SSEEvent

// Record implements events.Recorder.
func (j *journal) Record(r events.Record) {
	if event, ok := r.Event.(*events.SSEEvent); ok {
		*j = append(*j, event)
	}
}

// told returns what a Turn tells of a stream of one event.
func told(version, name, data string) journal {
	var told journal
	turn := NewTurn(TurnConfig{
		Recorder: &told, Scope: &events.Scope{Profile: events.CodexProfile(version)},
		Endpoint: EndpointOf("POST", "/responses"),
	})
	turn.Event(StreamEvent{Name: []byte(name), Data: []byte(data), At: time.Unix(1, 0)})
	turn.End(Ending{By: "upstream", At: time.Unix(2, 0)})
	return told
}

func TestSerdeSaysWhatCodexSays(t *testing.T) {
	s := recorded(t)
	if len(s.Versions) < 2 || len(s.Documents) < 300 {
		t.Fatalf("%d versions and %d documents recorded; want more", len(s.Versions), len(s.Documents))
	}
	for _, version := range s.Versions {
		for _, document := range s.Documents {
			got := told(version, "response.failed", document.Data)[0].ErrorMessage
			if want := document.by(s.Versions, version); got != want {
				t.Errorf("%s says of %q\n%s; want\n%s", version, document.Data, got, want)
			}
		}
	}
}

func TestTurnEndsWhatCodexSays(t *testing.T) {
	s := recorded(t)
	if len(s.Endings) < 80 {
		t.Fatalf("%d endings recorded; want more", len(s.Endings))
	}
	for _, version := range s.Versions {
		for _, ending := range s.Endings {
			events := told(version, ending.Name, ending.Data)
			got := ""
			if len(events) == 2 {
				got = events[1].ErrorMessage
			}
			if want := ending.by(s.Versions, version); got != want {
				t.Errorf("%s says after %s\n%s; want\n%s", version, ending.Data, got, want)
			}
		}
	}
}

func TestSerdeDepth(t *testing.T) {
	for _, open := range []string{"[", `{"a":`, `[{"a":`} {
		if got := serdeError([]byte(strings.Repeat(open, 1<<20)), numbersExact); !strings.HasPrefix(got, "recursion limit exceeded") {
			t.Errorf("serdeError(%q...) = %q; want the limit", open, got)
		}
	}
}

// TestSerdeTakesLinearTime would run for minutes otherwise.
func TestSerdeTakesLinearTime(t *testing.T) {
	const n = 1 << 21
	var keys strings.Builder
	for i := range n / 16 {
		keys.WriteString(`"k` + strconv.Itoa(i%1000) + `":0,`)
	}
	for name, document := range map[string]string{
		"digits":     strings.Repeat("9", n),
		"fraction":   "0." + strings.Repeat("1", n),
		"power":      "1e-" + strings.Repeat("9", n),
		"string":     `"` + strings.Repeat(`\u00e9`, n/6) + `"`,
		"lines":      strings.Repeat("\n", n) + "x",
		"same names": "{" + keys.String() + `"k":0}`,
	} {
		for _, kept := range []numbers{numbersExact, numbersPlain} {
			compact([]byte(document), kept)
			serdeError([]byte(document), kept)
		}
		if name == "lines" {
			want := "expected value at line " + strconv.Itoa(n+1) + " column 1"
			if got := serdeError([]byte(document), numbersExact); got != want {
				t.Errorf("serdeError() = %q; want %q", got, want)
			}
		}
	}
}

func FuzzSerde(f *testing.F) {
	for _, document := range recorded(f).Documents {
		f.Add([]byte(document.Data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kept := range []numbers{numbersExact, numbersSigned, numbersPlain} {
			text := serdeError(data, kept)
			if text != "" {
				refused := !json.Valid(data) || strings.HasPrefix(text, "recursion limit") ||
					strings.Contains(text, "hex escape") || strings.HasPrefix(text, "number out of range")
				if !refused {
					t.Fatalf("serdeError(%q) = %q; want none", data, text)
				}
				continue
			}
			if !json.Valid(data) {
				t.Fatalf("serdeError(%q) is none; want one", data)
			}
			written := compact(data, kept)
			if again := compact([]byte(written), kept); again != written && kept == numbersExact {
				t.Fatalf("compact(%q) = %q, and of that %q", data, written, again)
			}
			if utf8.Valid(data) && !json.Valid([]byte(written)) {
				t.Fatalf("compact(%q) = %q; want JSON", data, written)
			}
		}
	})
}
