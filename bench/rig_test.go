package main

import (
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestModelRoundTrip(t *testing.T) {
	want := Spec{Events: 7, Delay: 20 * time.Millisecond, Size: 150, Batch: 3, Big: 200_000, Status: 429, Truncate: true}
	got, err := parseModel("openai/" + want.Model())
	if err != nil || got != want {
		t.Errorf("parseModel(%q) = %+v, %v", want.Model(), got, err)
	}
	if got := defaultSpec().Model(); got != "mock" {
		t.Errorf("default model is %q", got)
	}
	if got := modelOf([]byte(`{"stream":true,"model": "mock-events3","input":[]}`)); got != "mock-events3" {
		t.Errorf("modelOf = %q", got)
	}
}

func TestDeltaSize(t *testing.T) {
	s := newStream("0123456789abcdef0123456789abcdef", "mock", nil)
	s.delta(180)
	if got := len(s.buf) - len(deltaHead) - len("\n\n"); got != 180 {
		t.Errorf("delta has %d bytes of JSON, not 180: %s", got, s.buf)
	}
	if sent, ok := stamp(s.buf); !ok || time.Since(sent) > time.Minute {
		t.Errorf("stamp of %s is %v, %v", s.buf, sent, ok)
	}
}

// TestDirect runs every check and a short load without a proxy, where
// nothing may be lost or altered.
func TestDirect(t *testing.T) {
	server := httptest.NewServer(newUpstream())
	defer server.Close()
	client := newClient(server.URL+"/v1", 8, nil)
	defer client.close()
	for _, verdict := range check(t.Context(), client, server.URL) {
		if verdict.Problem != "" && verdict.Name != "events not held back" { // A busy machine may hold them back.
			t.Errorf("%s: %s", verdict.Name, verdict.Problem)
		}
	}
	mode := Mode{Name: "test", Spec: defaultSpec(), Concurrency: 4, BodySize: 10_000}
	result, err := Run{Client: client, Mode: mode, Duration: 100 * time.Millisecond, Upstream: server.URL}.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Streams == 0 || result.Errors+result.ResponseAltered+result.RequestAltered > 0 {
		t.Errorf("%+v", result)
	}
	if result.Events != 200*result.Streams {
		t.Errorf("%d events in %d streams", result.Events, result.Streams)
	}
}

// TestSocket runs a short load over WebSockets.
func TestSocket(t *testing.T) {
	server := httptest.NewServer(newUpstream())
	defer server.Close()
	client := newClient(server.URL+"/v1", 8, nil)
	defer client.close()
	for _, socket := range []string{socketPlain, socketDeflate} {
		mode := Mode{Name: "test", Spec: defaultSpec(), Concurrency: 2, BodySize: 10_000, Grow: 5000, Socket: socket}
		result, err := Run{Client: client, Mode: mode, Duration: 100 * time.Millisecond, Upstream: server.URL}.Do(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if result.Streams == 0 || result.Errors+result.ResponseAltered+result.RequestAltered > 0 {
			t.Errorf("%s: %+v; want streams, and no errors", socket, result)
		}
	}
}

func TestSinkCounts(t *testing.T) {
	record := func(id string) []byte {
		pair := field(fieldKey, []byte("event.id"), fieldValue, field(1, []byte(id)))
		return field(fieldLogRecord, field(fieldAttributes, field(fieldKey, []byte("other")), fieldAttributes, pair))
	}
	payload := field(fieldResourceLogs, field(fieldScopeLogs, slices.Concat(record("a"), record("b"), record("b"))))
	s := &sink{ids: map[uint64]struct{}{}}
	if err := s.request(payload); err != nil || s.count.Records != 3 || len(s.ids) != 2 {
		t.Errorf("request() = %v with %d records, %d distinct; want 3 and 2", err, s.count.Records, len(s.ids))
	}
	if err := s.request(payload[:len(payload)-1]); err == nil {
		t.Error("request() of a cut payload = nil; want an error")
	}
}

// field encodes bytes fields: number, value, number, value and so on.
func field(pairs ...any) []byte {
	var out []byte
	for i := 0; i < len(pairs); i += 2 {
		out = protowire.AppendTag(out, protowire.Number(pairs[i].(int)), protowire.BytesType)
		out = protowire.AppendBytes(out, pairs[i+1].([]byte))
	}
	return out
}

func TestModesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, mode := range modes() {
		if seen[mode.Name] {
			t.Errorf("two modes are called %s", mode.Name)
		}
		seen[mode.Name] = true
	}
}

func TestUsage(t *testing.T) {
	usage, err := usageOf(os.Getpid())
	if err != nil || usage.RSS == 0 || usage.Procs == 0 {
		t.Errorf("usage of this process: %+v, %v", usage, err)
	}
}

func BenchmarkStream(b *testing.B) {
	server := httptest.NewServer(newUpstream())
	defer server.Close()
	client := newClient(server.URL+"/v1", 8, nil)
	defer client.close()
	body := client.body(defaultSpec(), 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.stream(b.Context(), defaultSpec(), body); err != nil {
			b.Fatal(err)
		}
	}
}
