package responses

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// usageIn reads the usage of a response. Of one whose middle was not kept, tail
// is the end of the document, and depth how many objects its members are in.
func usageIn(response gjson.Result, tail []byte, depth int) *events.Usage {
	last := response.Get("usage")
	// Looking at every member would decode the long ones. As a rule there is one of the name, near the end.
	if behind := last.Index - response.Index + len(last.Raw); last.Exists() && behind < len(response.Raw) {
		if rest := response.Raw[behind:]; strings.Contains(rest, `"usage"`) || strings.Contains(rest, `\u`) {
			last = lastMember(response, "usage")
		}
	}
	usage := usageOf(last)
	if usage == nil && tail != nil {
		usage = usageInTail(tail, depth)
	}
	return usage
}

// usageOf reads a usage object of the Responses API (input_tokens, ...) or of
// Chat Completions (prompt_tokens, ...). It returns nil where there is none, or
// only its beginning. Of members with the same name the last counts, as for
// serde_json.
func usageOf(usage gjson.Result) *events.Usage {
	if !usage.IsObject() || !gjson.Valid(usage.Raw) {
		return nil
	}
	in, out := "input_tokens", "output_tokens"
	if !lastMember(usage, in).Exists() {
		in, out = "prompt_tokens", "completion_tokens"
	}
	input, output := count(lastMember(usage, in)), count(lastMember(usage, out))
	if !input.Set && !output.Set {
		return nil
	}
	inputDetails, outputDetails := lastMember(usage, in+"_details"), lastMember(usage, out+"_details")
	return &events.Usage{
		Input:      input.Value,
		Output:     output.Value,
		Cached:     count(lastMember(inputDetails, "cached_tokens")),
		CacheWrite: count(lastMember(inputDetails, "cache_write_tokens")),
		Reasoning:  count(lastMember(outputDetails, "reasoning_tokens")),
		Total:      count(lastMember(usage, "total_tokens")).Value,
	}
}

// count reads a number of tokens. A fraction is left out; a number that would
// not be exact is none.
func count(n gjson.Result) events.Opt[int64] {
	const exact = 1 << 53
	if n.Type != gjson.Number {
		return events.Opt[int64]{}
	}
	if whole, err := strconv.ParseInt(n.Raw, 10, 64); err == nil {
		return events.Some(whole)
	}
	if !(math.Abs(n.Num) <= exact) {
		return events.Opt[int64]{}
	}
	return events.Some(int64(n.Num))
}

// usageInTail looks for the last usage object that is in so many objects, in the
// end of a document whose middle was not kept. Others are not the response's.
func usageInTail(tail []byte, depth int) *events.Usage {
	const (
		key   = `"usage"`
		space = " \t\r\n"
	)
	open := 0 // objects and arrays that the place looked at is in
	for end := len(tail); ; {
		at := bytes.LastIndex(tail[:end], []byte(key))
		if at < 0 {
			return nil
		}
		open += closings(tail[at+len(key) : end])
		end = at
		value, ok := bytes.CutPrefix(bytes.TrimLeft(tail[at+len(key):], space), []byte(":"))
		if !ok || open != depth {
			continue
		}
		value = bytes.TrimLeft(value, space)
		if usage := usageOf(gjson.ParseBytes(value[:skipValue(value, 0)])); usage != nil {
			return usage
		}
	}
}

// closings returns how many objects and arrays end in raw more than begin there.
func closings(raw []byte) int {
	n := 0
	for at := 0; at < len(raw); at++ {
		switch raw[at] {
		case '"':
			at = closingQuote(raw, at+1)
		case '{', '[':
			n--
		case '}', ']':
			n++
		}
	}
	return n
}
