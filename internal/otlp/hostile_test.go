package otlp

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestHostileStringsCostNoBatch(t *testing.T) {
	hostile := []string{
		"", "\xff\xfe", "a\x00b", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\u202e\u0000", "\"\\\n\r\t\x1b[31m", "💥\xf0\x9f",
		strings.Repeat("\xff", 1<<20), strings.Repeat("é", 5<<20),
	}
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			c := startCollector(t, protocol, false, "", nil)
			x := open(t, c.config())
			for _, s := range hostile {
				r := record(&events.ToolResult{
					ToolName: s, CallID: events.Some(s), Arguments: events.Some(s), Output: events.Some(s), MCPServer: events.Some(s),
				})
				r.ID = s
				r.Scope.ConversationID, r.Scope.Model = s, s
				r.Scope.Resource = &events.Resource{ServiceName: s, ServiceVersion: s, Environment: s}
				x.Record(r)
			}
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("Flush() = %v", err)
			}
			if got := len(c.await(t, len(hostile))); got != len(hostile) {
				t.Errorf("collector took %d records; want %d", got, len(hostile))
			}
			balance(t, x)
		})
	}
}

func TestHostileNamesAndTimes(t *testing.T) {
	c := startCollector(t, ProtocolGRPC, false, "", nil)
	x := open(t, c.config())
	times := []time.Time{{}, time.Unix(-1, 0), time.Unix(0, 0), time.Unix(1<<62, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1, 5)}
	for _, at := range times {
		r := delta()
		r.Event = &oddName{&events.UserPrompt{}}
		r.Time = at
		x.Record(r)
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Fatalf("Flush() = %v", err)
	}
	records := c.await(t, len(times))
	for i, r := range records {
		want := uint64(0)
		if i == len(records)-1 {
			want = uint64(time.Second) + 5
		}
		if r.GetTimeUnixNano() != want {
			t.Errorf("time of %v = %d; want %d", times[i], r.GetTimeUnixNano(), want)
		}
		if !utf8.ValidString(r.GetEventName()) || r.GetEventName() == "" {
			t.Errorf("event name = %q; want valid UTF-8", r.GetEventName())
		}
	}
}

// oddName is an event with a name that no protobuf string may hold.
type oddName struct{ *events.UserPrompt }

func (*oddName) EventName() string { return "odd\xff" }
func (*oddName) Summary() string   { return "odd\xff" }
func (*oddName) Failed() bool      { return true }

// TestAttributeTypes covers what the SDK may hand over beside the catalog.
func TestAttributeTypes(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=%FF%FEblue,k%FF=v")
	c := startCollector(t, ProtocolGRPC, false, "", nil)
	x := open(t, c.config())
	x.Record(delta())
	if err := x.Flush(t.Context()); err != nil {
		t.Fatalf("Flush() = %v", err)
	}
	seen, _ := c.requests()
	var team *commonpb.AnyValue
	for _, kv := range seen[0].request.GetResourceLogs()[0].GetResource().GetAttributes() {
		if kv.GetKey() == "team" {
			team = kv.GetValue()
		}
	}
	if got := team.GetStringValue(); got != "\uFFFDblue" {
		t.Errorf("team = %q; want the bad bytes replaced", got)
	}
}

const canary = "canary-7f3a9c"

// TestCredentialsStayHome has collectors that repeat what they were sent.
func TestCredentialsStayHome(t *testing.T) {
	echo := "no such token " + canary + " for " + canary + "-user:" + canary + "-password\n\x1b[31m" + strings.Repeat("long ", 100)
	for _, protocol := range protocols {
		for _, code := range []int{http.StatusUnauthorized, http.StatusServiceUnavailable, http.StatusOK, http.StatusFound} {
			book := newLogbook()
			c := startCollector(t, protocol, false, "", func(received) answer {
				if protocol == ProtocolGRPC && code != http.StatusOK {
					return answer{status: status.New(map[int]codes.Code{
						http.StatusUnauthorized: codes.Unauthenticated, http.StatusServiceUnavailable: codes.Unavailable,
						http.StatusFound: codes.Unknown,
					}[code], echo)}
				}
				return answer{code: code, message: echo, rejected: 1, header: http.Header{"Location": {"/" + canary}}}
			})
			cfg := c.config()
			cfg.Headers = map[string]string{"Authorization": "Bearer " + canary, "X-Key": canary + "-key"}
			if protocol != ProtocolGRPC {
				cfg.Endpoint = strings.Replace(c.url, "http://", "http://"+canary+"-user:"+canary+"-password@", 1)
			}
			cfg.Logger = book.logger()
			x, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			x.Record(delta())
			err = x.Flush(t.Context())
			s := x.Stats()
			if code == http.StatusServiceUnavailable && err == nil {
				t.Errorf("%s %d: Flush() = nil; want an error", protocol, code)
			}
			if err := x.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
			told := book.String() + s.LastError
			if err != nil {
				told += err.Error()
			}
			if strings.Contains(told, canary) {
				t.Errorf("%s %d tells a credential: %s", protocol, code, told)
			}
			if book.count("[REDACTED]") == 0 {
				t.Errorf("%s %d: log = %s; want the message without its secrets", protocol, code, book)
			}
			if strings.ContainsAny(s.LastError, "\x1b\n") || utf8.RuneCountInString(s.LastError) > maxMessageRunes+1 {
				t.Errorf("%s %d: LastError = %q; want it printable and short", protocol, code, s.LastError)
			}
		}
	}
}

func TestOtherBodiesAreNotShown(t *testing.T) {
	for name, a := range map[string]answer{
		"html":        {code: 403, body: "<html>" + canary, header: http.Header{"Content-Type": {"text/html"}}},
		"broken json": {code: 403, body: `{"message":"` + canary, header: http.Header{"Content-Type": {contentTypeJSON}}},
		"no protobuf": {code: 403, body: "\xff" + canary, header: http.Header{"Content-Type": {contentTypeProto}}},
	} {
		c := startCollector(t, ProtocolHTTPBinary, false, "", func(received) answer { return a })
		x := open(t, c.config())
		x.Record(delta())
		_ = x.Flush(t.Context())
		if got := x.Stats().LastError; got != "http 403" {
			t.Errorf("%s: LastError = %q; want http 403", name, got)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := startCollector(t, ProtocolHTTPBinary, false, "", nil)
	c := startCollector(t, ProtocolHTTPBinary, false, "", func(received) answer {
		return answer{code: http.StatusTemporaryRedirect, header: http.Header{"Location": {elsewhere.url}}}
	})
	x := open(t, c.config())
	x.Record(delta())
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	if seen, _ := elsewhere.requests(); len(seen) != 0 || x.Stats().Dropped.Refused != 1 {
		t.Errorf("%d requests elsewhere, Stats() = %+v; want none and the record refused", len(seen), x.Stats())
	}
}

// TestProxyEnvironmentIsIgnored looks for the traces of the proxy that TestMain
// has put into the environment.
func TestProxyEnvironmentIsIgnored(t *testing.T) {
	for _, protocol := range protocols {
		for _, scheme := range []string{"http", "https"} {
			x := open(t, Config{Protocol: protocol, Endpoint: scheme + "://collector.invalid:4317", Timeout: 2 * time.Second})
			x.Record(delta())
			if err := x.Flush(t.Context()); err == nil {
				t.Errorf("%s %s: Flush() = nil; want an error", protocol, scheme)
			}
			if got := x.Stats().LastError; strings.Contains(got, "refused") || strings.Contains(got, "proxy") {
				t.Errorf("%s %s: LastError = %q; want none from a proxy", protocol, scheme, got)
			}
		}
	}
}

func TestUntrustedCertificateIsRetried(t *testing.T) {
	for _, protocol := range protocols {
		c := startCollector(t, protocol, true, "", nil)
		cfg := c.config()
		cfg.TLS = nil
		x := open(t, cfg)
		x.Record(delta())
		if err := x.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: Flush() = %v; want the certificate's fault", protocol, err)
		}
		if s := x.Stats(); s.Queued != 1 {
			t.Errorf("%s: Stats() = %+v; want the record kept", protocol, s)
		}
	}
}
