package events

import "testing"

// FuzzDecode has any attributes. Whatever they hold, nothing panics, and what is left over was there before.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), "duration_ms", "12", int64(12), 1.5, true)
	f.Add(uint8(3), "success", "true", int64(-1), -1e300, false)
	f.Add(uint8(5), "input_token_count", "many", int64(1<<62), 0.0, true)
	names := []string{
		NameConversationStarts, NameUserPrompt, NameToolDecision, NameToolResult, NameAPIRequest, NameSSEEvent,
		NameWebSocketConnect, NameWebSocketRequest, NameWebSocketEvent, "codex.other",
	}
	f.Fuzz(func(t *testing.T, index uint8, key, text string, number int64, fraction float64, truth bool) {
		name := names[int(index)%len(names)]
		values := []Value{
			{Kind: ValueText, Text: text}, {Kind: ValueInt, Int: number}, {Kind: ValueDouble, Double: fraction}, {Kind: ValueBool, Bool: truth},
		}
		var pairs []Pair
		for i := range values {
			pairs = append(pairs, Pair{Key: key, Value: values[i]}, Pair{Key: "duration_ms", Value: values[(i+1)%len(values)]},
				Pair{Key: "success", Value: values[(i+2)%len(values)]}, Pair{Key: text, Value: values[(i+3)%len(values)]})
		}
		scope := new(Scope)
		event, rest, ok := Decode(name, pairs, scope)
		if ok != (event != nil) {
			t.Errorf("Decode(%q) = %v, %t", name, event, ok)
		}
		if len(rest) > len(pairs) {
			t.Errorf("%d attributes are left of %d", len(rest), len(pairs))
		}
		if ok {
			new(Encoder).Expand(Record{Event: event, Scope: scope}, func(r Record) { new(Encoder).Attributes(nil, r) })
		}
	})
}
