package otlp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// sealedEntry returns the entry that a batcher makes of records.
func sealedEntry(t *testing.T, records ...events.Record) outbox.Entry {
	t.Helper()
	waiting := memory(QueueLimits{}, BatchLimits{})
	x := openScripted(Config{Outbox: waiting}, &scripted{})
	for _, r := range records {
		x.Record(r)
	}
	x.batcher.seal()
	e, ok := waiting.Next(0)
	if !ok {
		t.Fatal("Next() found nothing")
	}
	x.Close()
	e.ID = 0
	return e
}

// memory returns an outbox with limits as the exporter's own has them.
func memory(queue QueueLimits, batch BatchLimits) *outbox.Memory {
	return outbox.NewMemory(outbox.Limits(queue.withDefaults()), batch.withDefaults().size())
}

// appended appends entries and returns how many records had to go for them.
func appended(o *outbox.Memory, entries ...outbox.Entry) int64 {
	_, before := o.Ledger()
	for _, e := range entries {
		o.Append(e)
	}
	_, after := o.Ledger()
	return after.Total().Settled[outbox.QueueFull] - before.Total().Settled[outbox.QueueFull]
}

// contents returns what the entry's records say: the text of a prompt, or "-"
// for a delta.
func contents(t *testing.T, e outbox.Entry) []string {
	t.Helper()
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(e.Payload, request); err != nil {
		t.Fatalf("Unmarshal() = %v", err)
	}
	var texts []string
	deltas := 0
	for _, r := range (received{request: request}).records() {
		text := "-"
		for _, kv := range r.GetAttributes() {
			if kv.GetKey() == "prompt" {
				text = kv.GetValue().GetStringValue()
			}
		}
		if text == "-" {
			deltas++
		}
		texts = append(texts, text)
	}
	if len(texts) != e.Records || deltas != e.Deltas {
		t.Errorf("entry says %d records, %d deltas; has %d and %d", e.Records, e.Deltas, len(texts), deltas)
	}
	return texts
}

func all(t *testing.T, o *outbox.Memory) [][]string {
	t.Helper()
	var texts [][]string
	for after := uint64(0); ; {
		e, ok := o.Next(after)
		if !ok {
			return texts
		}
		o.Done(e, nil)
		after = e.ID
		texts = append(texts, contents(t, e))
	}
}

func TestMemoryOutboxDropsDeltasFirst(t *testing.T) {
	o := memory(QueueLimits{MaxRecords: 6}, BatchLimits{MaxRecords: 3})
	if dropped := appended(o, sealedEntry(t, prompt("a"), delta(), prompt("b")), sealedEntry(t, delta(), prompt("c"), delta())); dropped != 0 {
		t.Fatalf("Append() dropped %d below the bound", dropped)
	}
	if dropped := appended(o, sealedEntry(t, prompt("d"))); dropped != 1 {
		t.Errorf("Append() = %d; want 1, the oldest delta", dropped)
	}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"-", "c", "-"}, {"d"}}, all(t, o)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if dropped := appended(o, sealedEntry(t, prompt("e"), prompt("f"), prompt("g"))); dropped != 4 {
		t.Errorf("Append() = %d; want 4: two deltas, then the oldest batch", dropped)
	}
	if diff := cmp.Diff([][]string{{"c"}, {"d"}, {"e", "f", "g"}}, all(t, o)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestMemoryOutboxBoundsBytes(t *testing.T) {
	e := sealedEntry(t, prompt("a"))
	size := len(e.Payload)
	o := memory(QueueLimits{MaxBytes: 3 * size}, BatchLimits{MaxRecords: 1})
	dropped := int64(0)
	for range 10 {
		dropped += appended(o, e)
	}
	if records, bytes := o.Size(); records != 3 || bytes != 3*size || dropped != 7 {
		t.Errorf("Size() = %d, %d after %d drops; want 3, %d after 7", records, bytes, dropped, 3*size)
	}
}

func TestMemoryOutboxKeepsClaim(t *testing.T) {
	o := memory(QueueLimits{MaxRecords: 2}, BatchLimits{MaxRecords: 4})
	o.Append(sealedEntry(t, prompt("a"), delta()))
	claimed, _ := o.Next(0)
	if dropped := appended(o, sealedEntry(t, prompt("b"))); dropped != 1 {
		t.Errorf("Append() = %d; want 1, the newest: the other is on its way", dropped)
	}
	if got, _ := o.Next(0); len(contents(t, got)) != 2 {
		t.Errorf("claimed entry has %q; want it unchanged", contents(t, got))
	}
	o.Done(outbox.Entry{ID: claimed.ID}, nil)
	if records, bytes := o.Size(); records != 0 || bytes != 0 {
		t.Errorf("Size() after Done = %d, %d; want an empty outbox", records, bytes)
	}
}

func TestMemoryOutboxJoinsWhatWaits(t *testing.T) {
	o := memory(QueueLimits{}, BatchLimits{MaxRecords: 3})
	for _, text := range []string{"a", "b", "c", "d"} {
		o.Append(sealedEntry(t, prompt(text)))
	}
	if diff := cmp.Diff([][]string{{"a", "b", "c"}, {"d"}}, all(t, o)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	first, _ := o.Next(0)
	second, _ := o.Next(first.ID)
	before := string(second.Payload)
	o.Append(sealedEntry(t, prompt("e")))
	if string(second.Payload) != before {
		t.Error("a claimed payload was changed")
	}
	o.Done(second, nil)
	if diff := cmp.Diff([][]string{{"a", "b", "c"}, {"d"}, {"e"}}, all(t, o)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestEntrySplit(t *testing.T) {
	elsewhere := prompt("c")
	elsewhere.Scope.Resource = &events.Resource{ServiceName: "other"}
	e := sealedEntry(t, prompt("a"), elsewhere, prompt("b"), delta(), prompt("d"))
	e.ID = 7
	first, rest := e.Split()
	// Records of one resource stand together.
	if diff := cmp.Diff([][]string{{"a", "b"}, {"-", "d", "c"}}, [][]string{contents(t, first), contents(t, rest)}); diff != "" {
		t.Errorf("Split() (-want +got):\n%s", diff)
	}
	if first.ID != 7 || rest.ID != 7 {
		t.Errorf("IDs = %d, %d; want 7", first.ID, rest.ID)
	}
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(first.Payload, request); err != nil || len(request.GetResourceLogs()) != 1 {
		t.Errorf("first half has %d resources (%v); want 1: none without records", len(request.GetResourceLogs()), err)
	}
	if diff := cmp.Diff([]string{"a", "b", "-", "d", "c"}, contents(t, first.Join(rest))); diff != "" {
		t.Errorf("Join() (-want +got):\n%s", diff)
	}
}

func TestQueueBoundIsCounted(t *testing.T) {
	book := newLogbook()
	c := startCollector(t, ProtocolHTTPBinary, false, "", nil)
	cfg := c.config()
	cfg.Queue.MaxRecords = 100
	cfg.Batch.MaxRecords = 10
	cfg.Logger = book.logger()
	x := open(t, cfg)
	for i := range 400 {
		if i%4 == 0 {
			x.Record(prompt("kept"))
		} else {
			x.Record(delta())
		}
	}
	balance(t, x)
	s := x.Stats()
	if s.Recorded != 400 || s.Dropped.QueueFull < 290 || s.Queued > 110 || s.QueuedBytes == 0 {
		t.Errorf("Stats() = %+v; want about 300 of 400 dropped", s)
	}
	run(t, x)
	got := prompts(c.await(t, int(s.Queued)))
	if len(got) != 100 {
		t.Errorf("%d prompts delivered; want all 100: deltas go first", len(got))
	}
	book.await(t, "queue is full")
}

// TestBacklogIsCounted starts with an outbox that holds what an earlier process
// recorded.
func TestBacklogIsCounted(t *testing.T) {
	o := memory(QueueLimits{}, BatchLimits{})
	o.Append(sealedEntry(t, prompt("a"), prompt("b")))
	x := openScripted(Config{Outbox: o}, &scripted{replies: []reply{{}}})
	defer x.Close()
	x.Record(prompt("c"))
	if s := x.Stats(); s.Recorded != 3 || s.Queued != 3 {
		t.Errorf("Stats() = %+v; want 3 records queued", s)
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	if s := x.Stats(); s.Delivered != 3 || s.Queued != 0 || s.QueuedBytes != 0 {
		t.Errorf("Stats() = %+v; want 3 records delivered", s)
	}
}
