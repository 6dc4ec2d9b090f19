package responses

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// What follows reads responses with encoding/json alone, to hold what a Turn tells against it.

// parts returns the members of an object, none for what is no object.
func parts(raw []byte) (names []string, values []json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, nil
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil
		}
		text, _ := name.(string)
		names, values = append(names, text), append(values, value)
	}
	return names, values
}

// latest returns the last member with a name, nil for none.
func latest(names []string, values []json.RawMessage, name string) json.RawMessage {
	for i, other := range slices.Backward(names) {
		if other == name {
			return values[i]
		}
	}
	return nil
}

// under is latest of an object.
func under(raw []byte, name string) json.RawMessage {
	names, values := parts(raw)
	return latest(names, values, name)
}

func times(names []string, name string) int {
	n := 0
	for i := range names {
		if names[i] == name {
			n++
		}
	}
	return n
}

func unmarshal(raw json.RawMessage, v any) error { return json.Unmarshal(raw, v) }

// spelled reads a usage object.
func spelled(raw []byte) *events.Usage {
	in, out := "input_tokens", "output_tokens"
	if under(raw, in) == nil {
		in, out = "prompt_tokens", "completion_tokens"
	}
	input, output := amount(under(raw, in)), amount(under(raw, out))
	if !input.Set && !output.Set {
		return nil
	}
	return &events.Usage{
		Input: input.Value, Output: output.Value, Total: amount(under(raw, "total_tokens")).Value,
		Cached:     amount(under(under(raw, in+"_details"), "cached_tokens")),
		CacheWrite: amount(under(under(raw, in+"_details"), "cache_write_tokens")),
		Reasoning:  amount(under(under(raw, out+"_details"), "reasoning_tokens")),
	}
}

// amount reads a count: all integers of 64 bits, and of other numbers what is before the point, as far as they are exact.
func amount(raw []byte) events.Opt[int64] {
	var n json.Number
	if len(raw) == 0 || raw[0] == '"' || unmarshal(raw, &n) != nil || n == "" {
		return events.Opt[int64]{}
	}
	if i, err := n.Int64(); err == nil {
		return events.Some(i)
	}
	f, _ := strconv.ParseFloat(n.String(), 64)
	if math.Abs(f) > 1<<53 {
		return events.Opt[int64]{}
	}
	return events.Some(int64(f))
}

func sameTokens(a, b events.Usage) bool { return a == b }

// spelledAll returns the tokens of every usage object so deep in a document: 1 for a member of it, 2 for a member of one
// of its members.
func spelledAll(raw []byte, depth int) []events.Usage {
	var found []events.Usage
	names, values := parts(raw)
	for i, name := range names {
		if depth > 1 {
			found = append(found, spelledAll(values[i], depth-1)...)
		} else if name == "usage" {
			if u := spelled(values[i]); u != nil {
				found = append(found, *u)
			}
		}
	}
	return found
}

// checkUsages wants the tokens told to be those of one of the events, in the place where a response has them.
func checkUsages(t *testing.T, w way, records *tape, stream []StreamEvent) {
	t.Helper()
	for _, told := range records.usages() {
		if !slices.ContainsFunc(stream, func(e StreamEvent) bool {
			found := spelledAll(e.Data, 2)
			if w.endpoint.Chat {
				found = append(found, spelledAll(e.Data, 1)...)
			}
			return slices.Contains(found, told)
		}) {
			t.Errorf("%+v is told, which no response has", told)
		}
	}
}

// expected returns the tokens that a stream over HTTP tells to an agent that is not Codex. It is not sure where members
// that matter come twice.
func expected(w way, stream []StreamEvent) (want []events.Usage, sure bool) {
	if w.version != "" || w.webSocket || w.endpoint.Chat || w.unread {
		return nil, false
	}
	var usage *events.Usage
	for _, e := range stream {
		if strings.HasSuffix(string(e.Name), ".delta") || serdeError(e.Data, numbersExact) != "" {
			continue
		}
		names, values := parts(e.Data)
		if times(names, "type") > 1 || times(names, "response") > 1 {
			return nil, false
		}
		var typ, reason string
		if unmarshal(latest(names, values, "type"), &typ) != nil {
			continue
		}
		response := latest(names, values, "response")
		names, values = parts(response)
		details := latest(names, values, "incomplete_details")
		if inner, _ := parts(details); times(names, "incomplete_details") > 1 || times(inner, "reason") > 1 {
			return nil, false
		}
		completes := typ == "response.completed"
		if typ == "response.incomplete" && unmarshal(under(details, "reason"), &reason) == nil {
			completes = reason == "interrupted"
		}
		isObject := bytes.HasPrefix(response, []byte("{"))
		switch {
		case completes && (response == nil || string(response) == "null"):
			continue
		case completes && isObject:
		case completes, typ == "response.failed", typ == "response.incomplete":
		default:
			continue
		}
		usage = nil
		if isObject {
			usage = spelled(latest(names, values, "usage"))
		}
		if completes && isObject {
			break
		}
	}
	if usage == nil || !w.charged() {
		return nil, true
	}
	return []events.Usage{*usage}, true
}
