package report

import (
	"math"
	"net/http"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/codex-proxy/codex-proxy/events"
)

// FuzzLogs sends any bytes as a request, in either encoding. Whatever comes back
// is an answer, whatever is recorded can leave, and the two encodings agree.
func FuzzLogs(f *testing.F) {
	for _, records := range exportedBy(f) {
		request := exportRequest(f, records[:2])
		asProto, err := request.MarshalProto()
		if err != nil {
			f.Fatal(err)
		}
		asJSON, err := request.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(asProto, true)
		f.Add(asJSON, false)
	}
	f.Add(protoLogs(field(5, nested(20, true)), field(6, keyValue("\xff", field(7, []byte("\xff"))))), true)
	f.Add([]byte(jsonLogs(`{"body":{"kvlistValue":{"values":[{"key":"k","value":{"doubleValue":"NaN"}}]}},"traceId":"0102","flags":1}`)), false)
	f.Fuzz(func(t *testing.T, body []byte, asProto bool) {
		h, recorded := newTest(t, Config{MaxBodyBytes: 1 << 20, MaxItems: 100})
		contentType := jsonType
		if asProto {
			contentType = protoType
		}
		got := postLogs(t, h, body, "Content-Type", contentType)
		switch got.status {
		case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		default:
			t.Errorf("POST = %d %q", got.status, got.body)
		}
		encoder := new(events.Encoder)
		for _, r := range recorded.all() {
			seen := make(map[string]bool)
			for _, kv := range encoder.Attributes(nil, r) {
				if seen[string(kv.Key)] {
					t.Errorf("%s comes twice", kv.Key)
				}
				seen[string(kv.Key)] = true
			}
			if foreign, ok := r.Event.(*events.Foreign); ok {
				checkPairs(t, foreign.Attributes)
				checkValue(t, foreign.Body)
			}
		}
		// Where the Collector's reader and this one both understand the bytes, they
		// find as many records.
		theirs := plogotlp.NewExportRequest()
		if asProto && got.status == http.StatusOK && theirs.UnmarshalProto(body) == nil {
			stats := h.LogStats()
			mine := stats.Catalogue + stats.Foreign + stats.Traffic + stats.Rejected["size"] + stats.Rejected["nesting"] + stats.Rejected["syntax"]
			if want := int64(theirs.Logs().LogRecordCount()); mine != want {
				t.Errorf("%d records; want %d", mine, want)
			}
		}
	})
}

func checkPairs(t *testing.T, pairs []events.Pair) {
	t.Helper()
	for _, p := range pairs {
		if p.Key == "" || !utf8.ValidString(p.Key) {
			t.Errorf("key %q", p.Key)
		}
		checkValue(t, p.Value)
	}
}

func checkValue(t *testing.T, v events.Value) {
	t.Helper()
	if v.Kind == events.ValueText && !utf8.ValidString(v.Text) {
		t.Errorf("value %q", v.Text)
	}
	if v.Kind == events.ValueDouble && math.IsNaN(v.Double) && v.String() != "NaN" {
		t.Errorf("String() = %s; want NaN", v)
	}
	for _, element := range v.List {
		checkValue(t, element)
	}
	checkPairs(t, v.Map)
}
