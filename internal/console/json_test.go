package console

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestAppendJSONKeepsTheCataloguesOrder(t *testing.T) {
	record := numbered(0, &events.APIRequest{
		DurationMS: 412, StatusCode: events.Some[int64](200), CFRay: "8f0abc-SJC",
		HeaderSent: events.Some(true), Method: "POST", Endpoint: "/responses",
	}, "a203a3")
	want := `{"event.name":"codex.api_request","event.timestamp":"2026-03-04T12:03:07.412Z","duration_ms":412,` +
		`"http.response.status_code":200,"attempt":0,"cf_ray":"8f0abc-SJC","endpoint":"/responses",` +
		`"auth.header_attached":true,"http.request.method":"POST","conversation.id":"a203a3",` +
		`"telemetry.source":"wire","event.id":"n0","severity":"INFO","body":"POST /responses 200 in 412 ms"}`
	if got := string(AppendJSON([]byte("before"), &events.Encoder{}, record)); got != "before"+want {
		t.Errorf("AppendJSON() = %s; want before%s", got, want)
	}
	failed := numbered(0, &events.APIRequest{ErrorMessage: "connection refused"}, "a203a3")
	if got := string(AppendJSON(nil, &events.Encoder{}, failed)); !strings.Contains(got, `"severity":"ERROR"`) {
		t.Errorf("AppendJSON() of a failure = %s; want severity ERROR", got)
	}
}

func TestAppendQuoted(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain é 漢 😀", `"plain é 漢 😀"`},
		{"\"\\\n\r\t\b\x00", `"\"\\\n\r\t\u0008\u0000"`},
		{"\x1b[31m\x7f\u009b", `"\u001b[31m\u007f\u009b"`},
		{"a\u202eb\u2028\u2066", `"a\u202eb\u2028\u2066"`},
		{"\U000e0001\U0010fffd", `"\udb40\udc01\udbff\udffd"`},
		{"a\xffb\xc3", `"a\ufffdb\ufffd"`},
		{"\ufffd", `"\ufffd"`},
	}
	for _, test := range tests {
		if got := string(appendQuoted(nil, test.in)); got != test.want {
			t.Errorf("appendQuoted(%q) = %s; want %s", test.in, got, test.want)
		}
	}
}

func FuzzAppendQuoted(f *testing.F) {
	f.Add("a\u202e\x1b\xff\"\\😀\U000e0001")
	f.Fuzz(func(t *testing.T, s string) {
		quoted := string(appendQuoted(nil, s))
		var got string
		if err := json.Unmarshal([]byte(quoted), &got); err != nil {
			t.Fatalf("appendQuoted(%q) = %s: %v", s, quoted, err)
		}
		if want := string([]rune(s)); got != want {
			t.Errorf("appendQuoted(%q) reads back as %q; want %q", s, got, want)
		}
		for _, r := range quoted {
			if !unicode.IsPrint(r) {
				t.Errorf("appendQuoted(%q) = %q has %U", s, quoted, r)
			}
		}
	})
}
