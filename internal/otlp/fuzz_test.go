package otlp

import (
	"testing"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
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

// FuzzFilter checks that no bytes, such as those of a damaged store, make the
// taking apart panic.
func FuzzFilter(f *testing.F) {
	f.Add([]byte("\x0a\x03\x12\x01\x12"))
	f.Fuzz(func(_ *testing.T, payload []byte) {
		e := outbox.Entry{Payload: payload, Records: 4}
		e.Split()
		e.WithoutDeltas()
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
