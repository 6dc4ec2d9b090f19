package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// saidFile is what the unit tests of internal/responses hold its texts against.
var saidFile = filepath.Join("..", "..", "internal", "responses", "testdata", "serde.json")

// said is the content of saidFile: what CLIs made of events.
type said struct {
	Versions  []string  `json:"versions"`
	Documents []*answer `json:"documents"`
	Endings   []*answer `json:"endings"`
}

// answer is one event, and what was said of it. Said maps a version to the text that it was the first to say.
type answer struct {
	Name string            `json:"name,omitempty"`
	Data string            `json:"data"`
	Said map[string]string `json:"said"`

	last string // what the version before said
}

func (a *answer) add(version, text string) {
	if len(a.Said) == 0 || text != a.last {
		if a.Said == nil {
			a.Said = map[string]string{}
		}
		a.Said[version] = text
	}
	a.last = text
}

// TestRecordSaid asks the CLIs of CODEX_E2E_VERSIONS, given from old to new, about every event of saidFile and writes their
// answers there. To ask about a further event, add it to the file without an answer.
//
//	CODEX_E2E_RECORD=1 CODEX_E2E_VERSIONS=0.45.0,0.100.0,0.169.0 go test -run TestRecordSaid -timeout 1h .
func TestRecordSaid(t *testing.T) {
	if os.Getenv("CODEX_E2E_RECORD") == "" {
		t.Skip("records only when CODEX_E2E_RECORD is set")
	}
	s := readSaid(t)
	s.Versions = nil
	for _, list := range [][]*answer{s.Documents, s.Endings} {
		for _, a := range list {
			a.Said = nil
		}
	}
	for _, cli := range clis(t) {
		s.Versions = append(s.Versions, cli.Version)
		askDocuments(t, cli, s.Documents)
		for _, ending := range s.Endings {
			askEnding(t, cli, ending)
		}
		t.Logf("asked %s", cli.Version)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(saidFile, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readSaid(t *testing.T) *said {
	t.Helper()
	data, err := os.ReadFile(saidFile)
	if err != nil {
		t.Fatal(err)
	}
	s := new(said)
	if err := json.Unmarshal(data, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// askDocuments sends every document as the data of one event, all in one stream.
func askDocuments(t *testing.T, cli codexcli.CLI, documents []*answer) {
	t.Helper()
	events := []responsestest.Event{responsestest.Created("resp_1")}
	for _, document := range documents {
		events = append(events, responsestest.Event{Name: "response.failed", Data: document.Data})
	}
	events = append(events, done.Events...)
	records, _ := answers(t, cli, responsestest.Stream(events...))
	if len(records) < len(documents)+1 {
		t.Fatalf("codex %s told %d events; want more than %d", cli.Version, len(records), len(documents))
	}
	for i, document := range documents {
		text, _ := records[i+1].Attrs["error.message"].(string)
		document.add(cli.Version, text)
	}
}

// askEnding ends a stream with the event. A CLI that gives up then may lose the last of its telemetry, and is asked again.
func askEnding(t *testing.T, cli codexcli.CLI, ending *answer) {
	t.Helper()
	event := responsestest.Event{Name: ending.Name, Data: ending.Data}
	for range 40 {
		records, exitCode := answers(t, cli, responsestest.Stream(responsestest.Created("resp_1"), event))
		for i := range records {
			if text, ok := records[i].Attrs["error.message"].(string); ok && records[i].Attrs["duration_ms"] == nil {
				ending.add(cli.Version, text)
				return
			}
		}
		if exitCode == 0 {
			ending.add(cli.Version, "") // a completion
			return
		}
	}
	t.Fatalf("codex %s tells nothing of %s", cli.Version, ending.Data)
}

// answers has the CLI meet response at its first request, and done at later ones. It returns what the CLI tells of streams.
func answers(t *testing.T, cli codexcli.CLI, response responsestest.Response) (records []receiver.Record, exitCode int) {
	t.Helper()
	upstream := responsestest.NewServer(t)
	upstream.Once(response)
	upstream.Any(done)
	native := receiver.Start(t, receiver.Options{})
	cfg := &codexcli.Config{
		Exporter: codexcli.HTTPExporter(native.HTTPEndpoint(), "binary"), BaseURL: upstream.BaseURL(), Retries: 1, ExportAtOnce: true,
	}
	run := cli.Exec(t, cfg, "say hello")
	return receiver.Named(native.Sink.Records(), "codex.sse_event"), run.ExitCode
}
