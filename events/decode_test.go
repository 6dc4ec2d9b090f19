package events

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
)

// pairs returns the attributes of a native record as they came over OTLP.
func (n native) pairs(t *testing.T) []Pair {
	t.Helper()
	var list []Pair
	for key, told := range n.Attrs {
		value := Value{Kind: ValueText}
		switch n.Types[key] {
		case "intValue":
			number, err := strconv.ParseInt(told.(string), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			value = Value{Kind: ValueInt, Int: number}
		case "boolValue":
			value = Value{Kind: ValueBool, Bool: told.(bool)}
		default:
			value.Text = told.(string)
		}
		list = append(list, Pair{Key: key, Value: value})
	}
	return list
}

// What a real Codex exported, read back and told in the codex schema, is what it
// exported: nothing is lost and nothing changes its type.
func TestDecodeNative(t *testing.T) {
	for _, n := range readNative(t) {
		scope := &Scope{Profile: CodexProfile(n.Release)}
		event, rest, ok := Decode(n.text("event.name"), n.pairs(t), scope)
		if !ok {
			t.Errorf("%s %s: Decode() = false", n.Release, n.Shape)
			continue
		}
		record := n.record(t)
		record.Event, record.Scope, record.Remarks = event, scope, &Remarks{Extra: rest}
		told := encode(&Encoder{Schema: SchemaCodex}, record)
		if len(told) != 1 {
			t.Fatalf("%s %s: Expand() yields %d records; want 1", n.Release, n.Shape, len(told))
		}
		got := values(t, told[0])
		for key, want := range n.Attrs {
			if asOTLP(got[key]) != want || otlpType(valueOf(told[0], key)) != n.Types[key] {
				t.Errorf("%s %s: %s = %v; want %v", n.Release, n.Shape, key, got[key], want)
			}
			delete(got, key)
		}
		delete(got, "telemetry.source")
		delete(got, "event.id")
		if len(got) > 0 {
			t.Errorf("%s %s: attributes that Codex did not tell: %v", n.Release, n.Shape, got)
		}
		for _, p := range rest {
			if Catalogued(event, p.Key) {
				t.Errorf("%s %s: %s is left over; want it in the event", n.Release, n.Shape, p.Key)
			}
		}
	}
}

func valueOf(attrs []attribute.KeyValue, key string) attribute.Value {
	for _, kv := range attrs {
		if string(kv.Key) == key {
			return kv.Value
		}
	}
	return attribute.Value{}
}

func TestDecodeTypes(t *testing.T) {
	number := func(v Value) []Pair {
		return []Pair{TextPair("tool_name", "t"), TextPair("call_id", "c"), TextPair("success", "true"), {Key: "duration_ms", Value: v}}
	}
	for name, test := range map[string]struct {
		value Value
		want  Opt[int64]
	}{
		"int":        {Value{Kind: ValueInt, Int: 7}, Int64(7)},
		"digits":     {Value{Kind: ValueText, Text: "7"}, Int64(7)},
		"whole":      {Value{Kind: ValueDouble, Double: 7}, Int64(7)},
		"fraction":   {Value{Kind: ValueDouble, Double: 7.5}, Opt[int64]{}},
		"huge":       {Value{Kind: ValueDouble, Double: 1e300}, Opt[int64]{}},
		"words":      {Value{Kind: ValueText, Text: "7 ms"}, Opt[int64]{}},
		"overflow":   {Value{Kind: ValueText, Text: "99999999999999999999"}, Opt[int64]{}},
		"list":       {Value{Kind: ValueList}, Opt[int64]{}},
		"empty text": {Value{Kind: ValueText}, Opt[int64]{}},
	} {
		event, rest, ok := Decode(NameToolResult, number(test.value), new(Scope))
		if !ok {
			t.Errorf("%s: Decode() = false; want the event without it", name)
			continue
		}
		want := &ToolResult{ToolName: "t", CallID: Some("c"), Success: true, DurationMS: test.want}
		if diff := cmp.Diff(want, event); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if kept := len(rest) == 1; kept == test.want.Set {
			t.Errorf("%s: rest = %v; want the value in one place", name, rest)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, attrs := range map[string][]Pair{
		"codex.startup_phase": {TextPair("a", "b")},
		NameUserPrompt:        {TextPair("prompt", "x")},
		NameToolDecision:      {TextPair("tool_name", "x"), TextPair("decision", "approved")},
		NameToolResult:        {TextPair("tool_name", "x"), TextPair("success", "maybe")},
		NameAPIRequest:        {TextPair("duration_ms", "12")},
	} {
		if event, _, ok := Decode(name, attrs, new(Scope)); ok {
			t.Errorf("Decode(%s) = %+v; want false", name, event)
		}
	}
}

func TestDecodeUsageNeedsAll(t *testing.T) {
	event, rest, ok := Decode(NameSSEEvent, []Pair{TextPair("event.kind", "response.completed"), TextPair("input_token_count", "3")}, new(Scope))
	if !ok || event.(*SSEEvent).Usage != nil || len(rest) != 1 {
		t.Errorf("Decode() = %+v, %v, %t; want an event without usage", event, rest, ok)
	}
}
