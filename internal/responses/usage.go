package responses

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// usageOf reads a usage object of the Responses API (input_tokens, ...) or of
// Chat Completions (prompt_tokens, ...). It returns nil where there is none.
func usageOf(usage gjson.Result) *events.Usage {
	if !usage.IsObject() {
		return nil
	}
	input, output := usage.Get("input_tokens"), usage.Get("output_tokens")
	inputDetails, outputDetails := usage.Get("input_tokens_details"), usage.Get("output_tokens_details")
	if !input.Exists() {
		input, output = usage.Get("prompt_tokens"), usage.Get("completion_tokens")
		inputDetails, outputDetails = usage.Get("prompt_tokens_details"), usage.Get("completion_tokens_details")
	}
	if input.Type != gjson.Number && output.Type != gjson.Number {
		return nil
	}
	return &events.Usage{
		Input:      input.Int(),
		Output:     output.Int(),
		Cached:     count(inputDetails.Get("cached_tokens")),
		CacheWrite: count(inputDetails.Get("cache_write_tokens")),
		Reasoning:  count(outputDetails.Get("reasoning_tokens")),
		Total:      usage.Get("total_tokens").Int(),
	}
}

func count(n gjson.Result) events.Opt[int64] {
	if n.Type != gjson.Number {
		return events.Opt[int64]{}
	}
	return events.Some(n.Int())
}

// usageInTail looks for the last usage object in the end of a document whose
// middle was not kept.
func usageInTail(tail []byte) *events.Usage {
	for end := len(tail); end > 0; {
		at := bytes.LastIndex(tail[:end], []byte(`"usage"`))
		if at < 0 {
			return nil
		}
		rest := bytes.TrimLeft(tail[at+len(`"usage"`):], " \t\r\n")
		if value, ok := bytes.CutPrefix(rest, []byte(":")); ok {
			if usage := usageOf(gjson.ParseBytes(value)); usage != nil {
				return usage
			}
		}
		end = at
	}
	return nil
}
