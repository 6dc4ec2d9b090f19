package report

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/codex-proxy/codex-proxy/events"
)

// field returns a length-delimited protobuf field.
func field(number protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), bytes.Join(parts, nil))
}

// protoLogs returns a request with those records.
func protoLogs(records ...[]byte) []byte {
	var list []byte
	for _, record := range records {
		list = append(list, field(2, record)...)
	}
	return field(1, field(2, list))
}

func keyValue(key string, value []byte) []byte {
	return append(field(1, []byte(key)), field(2, value)...)
}

// foreignOf sends one protobuf record and returns what becomes of it.
func foreignOf(t *testing.T, record []byte) *events.Foreign {
	t.Helper()
	h, recorded := newTest(t, Config{})
	got := postLogs(t, h, protoLogs(record), "Content-Type", protoType)
	if got.status != http.StatusOK || len(recorded.all()) != 1 {
		t.Fatalf("POST = %d %q, %d recorded; want one", got.status, got.body, len(recorded.all()))
	}
	return recorded.all()[0].Event.(*events.Foreign)
}

func TestLogsRepairsText(t *testing.T) {
	f := foreignOf(t, bytes.Join([][]byte{
		field(12, []byte("name\xff")), field(3, []byte("\x00info")),
		field(6, keyValue("a\xc3", field(1, []byte("v\xe2\x82")))),
		field(6, keyValue("list", field(5, field(1, field(1, []byte("in\xff"))), field(1, field(6, field(1, keyValue("k\xff", field(7, []byte("\xff\x00"))))))))),
		field(5, field(1, []byte("body\xff"))),
	}, nil))
	want := &events.Foreign{
		Origin: &events.Origin{}, RecordName: "name\uFFFD", SeverityText: "\uFFFDinfo",
		Body: events.Value{Kind: events.ValueText, Text: "body\uFFFD"},
		Attributes: []events.Pair{
			events.TextPair("a\uFFFD", "v\uFFFD"),
			{Key: "list", Value: events.Value{Kind: events.ValueList, List: []events.Value{
				{Kind: events.ValueText, Text: "in\uFFFD"},
				{Kind: events.ValueMap, Map: []events.Pair{{Key: "k\uFFFD", Value: events.Value{Kind: events.ValueBytes, Text: "\xff\x00"}}}},
			}}},
		},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("foreign (-want +got):\n%s", diff)
	}
}

func TestLogsKeysAreUnique(t *testing.T) {
	text := func(key, value string) []byte { return field(6, keyValue(key, field(1, []byte(value)))) }
	f := foreignOf(t, bytes.Join([][]byte{text("a", "1"), text("", "none"), text("a", "2"), text("b", "3"), text("b\xff", "4"), text("b\xfe", "5")}, nil))
	want := []events.Pair{events.TextPair("a", "1"), events.TextPair("b", "3"), events.TextPair("b\uFFFD", "4")}
	if diff := cmp.Diff(want, f.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestLogsAttributeLimit(t *testing.T) {
	var record []byte
	for i := range maxAttributes + 10 {
		record = append(record, field(6, keyValue(fmt.Sprint("k", i), field(1, []byte("v"))))...)
	}
	record = protowire.AppendVarint(protowire.AppendTag(record, 7, protowire.VarintType), 5)
	f := foreignOf(t, record)
	if len(f.Attributes) != maxAttributes || f.Dropped != 15 {
		t.Errorf("%d attributes, %d dropped; want %d, 15", len(f.Attributes), f.Dropped, maxAttributes)
	}
}

func TestLogsLongText(t *testing.T) {
	long := strings.Repeat("é", events.DefaultMaxValueBytes*3/4)
	f := foreignOf(t, bytes.Join([][]byte{field(5, field(1, []byte(long))), field(6, keyValue(long[:4000], field(7, []byte(long))))}, nil))
	if n := len(f.Body.Text); n > events.DefaultMaxValueBytes || !utf8.ValidString(f.Body.Text) || !strings.Contains(f.Body.Text, "truncated") {
		t.Errorf("the body has %d bytes; want at most %d and a mark", n, events.DefaultMaxValueBytes)
	}
	if p := f.Attributes[0]; len(p.Key) > maxCommonBytes || len(p.Value.Text) > events.DefaultMaxValueBytes {
		t.Errorf("a key of %d bytes, a value of %d; want them cut", len(p.Key), len(p.Value.Text))
	}
}

// nested returns a value in lists or maps of that depth.
func nested(depth int, isMap bool) []byte {
	value := field(1, []byte("x"))
	for range depth {
		if isMap {
			value = field(6, field(1, keyValue("k", value)))
		} else {
			value = field(5, field(1, value))
		}
	}
	return value
}

func TestLogsNestingLimit(t *testing.T) {
	for _, isMap := range []bool{false, true} {
		for _, depth := range []int{maxDepth, maxDepth + 1, 2000} {
			h, recorded := newTest(t, Config{})
			postLogs(t, h, protoLogs(field(5, nested(depth, isMap)), field(12, []byte("next"))), "Content-Type", protoType)
			want := 2
			if depth > maxDepth {
				want = 1
			}
			if got := len(recorded.all()); got != want || h.LogStats().Rejected["nesting"] != int64(2-want) {
				t.Errorf("depth %d: %d recorded, %+v; want %d", depth, got, h.LogStats().Rejected, want)
			}
		}
	}
}

// A request of a few megabytes that claims millions of records, values, scopes or
// the same resource over and over costs no more than a small multiple of itself.
func TestLogsMemory(t *testing.T) {
	const size = 4 << 20
	resource := field(1, field(1, keyValue("k", field(1, bytes.Repeat([]byte("r"), 60<<10)))))
	for name, body := range map[string][]byte{
		"records":          protoLogs(bytes.Split(bytes.Repeat([]byte(","), size/2), []byte(","))...),
		"values":           protoLogs(field(5, field(5, bytes.Repeat(field(1, nil), size/2)))),
		"pairs":            protoLogs(field(5, field(6, bytes.Repeat(field(1, keyValue("k", nil)), size/8)))),
		"attributes":       protoLogs(bytes.Repeat(field(6, keyValue("k", nil)), size/8)),
		"attributes of it": field(1, field(1, bytes.Repeat(field(1, keyValue("k", nil)), size/8)), field(2, field(2, nil))),
		"scopes":           field(1, resource, bytes.Repeat(field(2, nil), size/2)),
		"scopes with one":  field(1, resource, bytes.Repeat(field(2, field(2, nil)), 900)),
		"resources":        bytes.Repeat(field(1, nil), size/2),
		"groups":           bytes.Repeat([]byte{0x0b}, size),
		"nesting":          protoLogs(field(5, nested(3000, false))),
		"json records":     []byte(jsonLogs(strings.Repeat("{},", size/3) + "{}")),
		"json values":      []byte(jsonLogs(`{"body":{"arrayValue":{"values":[` + strings.Repeat("{},", size/3) + `{}]}}}`)),
		"json nesting":     []byte(`{"resourceLogs":` + strings.Repeat("[", size) + strings.Repeat("]", size) + "}"),
		"json members":     []byte(`{` + strings.Repeat(`"a":1,`, size/6) + `"resourceLogs":[]}`),
		"json scopes":      []byte(`{"resourceLogs":[{"scopeLogs":[` + strings.Repeat("{},", size/3) + `{}]}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			h, recorded := newTest(t, Config{MaxBodyBytes: 16 << 20})
			contentType := protoType
			if strings.HasPrefix(name, "json") {
				contentType = jsonType
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := postLogs(t, h, body, "Content-Type", contentType)
			runtime.ReadMemStats(&after)
			// Reading the body and growing its buffer is five times its size alone.
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 20*size {
				t.Errorf("%d MiB for a request of %d MiB; want less", allocated>>20, len(body)>>20)
			}
			if n := len(recorded.all()); n > DefaultMaxItems {
				t.Errorf("%d records; want at most %d", n, DefaultMaxItems)
			}
			t.Logf("%d, %d MiB for %d MiB", got.status, (after.TotalAlloc-before.TotalAlloc)>>20, len(body)>>20)
		})
	}
}

func TestLogsDoNotEchoContent(t *testing.T) {
	const secret = "hunter2"
	for _, body := range []string{
		`{"resourceLogs":"` + secret + `"}`, `{"` + secret, jsonLogs(`{"attributes":[{"key":"` + secret + `","value":{"intValue":"` + secret + `"}}]}`),
	} {
		h, _ := newTest(t, Config{})
		if got := postLogs(t, h, []byte(body), "Content-Type", jsonType); bytes.Contains(got.body, []byte(secret)) {
			t.Errorf("POST = %q; want no content in the answer", got.body)
		}
	}
}
