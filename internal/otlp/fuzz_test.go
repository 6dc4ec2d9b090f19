package otlp

import (
	"log/slog"
	"testing"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// FuzzEncode checks that any record becomes a request that protobuf takes, which
// includes that every string is valid UTF-8, and that it survives taking apart.
func FuzzEncode(f *testing.F) {
	f.Add("codex.tool_result", "hello", "world", int64(1), int64(1763893230), true, false)
	f.Add("\xff", "\x00\xed\xa0\x80", "response.output_text.delta", int64(-1), int64(-1<<62), false, true)
	f.Add("", "", ".delta", int64(1<<62), int64(1<<62), true, true)
	f.Fuzz(func(t *testing.T, name, a, b string, n, seconds int64, flag, codex bool) {
		waiting := memory(QueueLimits{}, BatchLimits{})
		cfg := Config{Outbox: waiting, Encoder: new(events.Encoder)}
		if codex {
			cfg.Encoder.Schema = events.SchemaCodex
		}
		x := openScripted(cfg, &scripted{})
		defer x.Close()
		scope := &events.Scope{
			ConversationID: a, AppVersion: b, AuthMode: name, Model: b,
			Resource: &events.Resource{ServiceName: a, ServiceVersion: b, Environment: name},
		}
		for _, event := range []events.Event{
			&named{&events.UserPrompt{Length: n, Prompt: events.Some(a)}, name},
			&events.SSEEvent{Kind: events.Some(b), DurationMS: events.Int64(n)},
			&events.ToolResult{ToolName: a, Output: events.Some(b), Success: flag, DurationMS: events.Int64(n)},
			&events.APIRequest{DurationMS: n, ErrorMessage: a, HeaderSent: events.Some(flag)},
		} {
			x.Record(events.Record{Event: event, Scope: scope, Time: time.Unix(seconds, n), ID: name})
		}
		x.batcher.seal()
		e, ok := waiting.Next(0)
		if !ok {
			t.Fatal("nothing was sealed")
		}
		count(t, e)
		first, rest := e.Split()
		if count(t, first)+count(t, rest) != e.Records || first.Deltas+rest.Deltas != e.Deltas {
			t.Errorf("Split() = %d and %d records; want %d", first.Records, rest.Records, e.Records)
		}
		if thin := e.WithoutDeltas(); count(t, thin) != e.Records-e.Deltas {
			t.Errorf("WithoutDeltas() has %d records; want %d", thin.Records, e.Records-e.Deltas)
		}
	})
}

// FuzzFilter has payloads of any bytes, such as those of a damaged store, of which any number of records is claimed, and
// a collector that answers anything: every record has one fate or is left. None is damaged of a payload that is not.
func FuzzFilter(f *testing.F) {
	request := &collogpb.ExportLogsServiceRequest{}
	for range 2 {
		scope := &logspb.ScopeLogs{LogRecords: []*logspb.LogRecord{{EventName: "a"}, {EventName: "b"}, {}}}
		request.ResourceLogs = append(request.ResourceLogs, &logspb.ResourceLogs{ScopeLogs: []*logspb.ScopeLogs{scope, scope}})
	}
	payload, err := proto.Marshal(request)
	if err != nil {
		f.Fatal(err)
	}
	refused := []byte{byte(verdictTooLarge), byte(verdictInvalid), byte(verdictAccepted) + 2*byte(numVerdicts), byte(verdictInvalid), byte(verdictRetry)}
	for cut := range payload {
		f.Add(payload[cut:], uint8(12), refused[cut%len(refused):])
		f.Add(payload[:cut], uint8(cut), refused[cut%len(refused):])
	}
	f.Add([]byte("\x0a\x03\x12\x01\x12"), uint8(4), []byte{byte(verdictTooLarge)})
	f.Fuzz(func(t *testing.T, payload []byte, records uint8, answers []byte) {
		e := outbox.Entry{ID: 7, Payload: payload, Records: int(records), Counts: outbox.Tally{"a": int(records)}}
		replies := []reply{{verdict: verdictAccepted}}
		for _, b := range answers {
			replies = append(replies, reply{verdict: verdict(b) % numVerdicts, rejected: int64(int8(b)) / int64(numVerdicts)})
		}
		carrier := &courier{
			sender: &scripted{replies: replies[min(1, len(answers)):]}, timeout: time.Minute,
			ledger: new(ledger), health: newHealth(slog.New(slog.DiscardHandler), ProtocolHTTPJSON, ""), scrub: new(scrubber),
		}
		whole := outbox.NewEntry(payload)
		if whole.Records == e.Records {
			e = whole
		}
		left, settled, _ := carrier.deliver(t.Context(), e)
		total := left.Records
		for fate, tally := range settled {
			total += tally.Total()
			for name, n := range tally {
				if n < 0 {
					t.Errorf("%d records of %s are %s", n, name, fate)
				}
			}
		}
		if total != e.Records || left.Records != left.Counts.Total() {
			t.Errorf("%d records have a fate, %v, or are left, %+v; want %d", total, settled, left, e.Records)
		}
		if whole.Records == e.Records && settled[outbox.Damaged].Total() > 0 {
			t.Errorf("settled = %v; want nothing damaged", settled)
		}
		if again := outbox.NewEntry(left.Payload); whole.Records == e.Records && again.Records != left.Records {
			t.Errorf("%d records are left, and said to be %d", again.Records, left.Records)
		}
	})
}

type named struct {
	*events.UserPrompt
	name string
}

func (n *named) EventName() string { return n.name }

func count(t *testing.T, e outbox.Entry) int {
	t.Helper()
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(e.Payload, request); err != nil {
		t.Fatalf("Unmarshal() = %v", err)
	}
	n := len((received{request: request}).records())
	if n != e.Records {
		t.Fatalf("entry says %d records; has %d", e.Records, n)
	}
	return n
}
