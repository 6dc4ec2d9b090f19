package report

import "strings"

// itemRow is one item and what is to be said of it. The same rows judge the
// handler and the OpenAPI document.
type itemRow struct {
	name    string
	item    string
	field   string // "" when the item is good, or wrong as a whole
	message string // "" when the item is good
	reason  reason
	// beyond marks what a schema cannot say: it lets such an item pass.
	beyond bool
}

// with returns an item of an event with its required keys and more members.
func with(event, more string) string {
	required := map[string]string{
		"conversation_starts": ``,
		"user_prompt":         `,"prompt":"hi"`,
		"tool_decision":       `,"tool_name":"shell","call_id":"k1","decision":"denied"`,
		"tool_result":         `,"tool_name":"shell","success":true`,
	}[event]
	if more != "" {
		more = "," + more
	}
	return `{"event.name":"` + event + `","conversation.id":"c1"` + required + more + `}`
}

// bare returns an item with nothing but what is given.
func bare(event, members string) string {
	return `{"event.name":"` + event + `","conversation.id":"c1"` + members + `}`
}

const numberMessage = "want an integer from 0 to 9007199254740991"

func itemRows() []itemRow {
	digits := numberMessage + " or its decimal digits in a string"
	missing := func(event string) string { return "want the key; codex." + event + " has it always" }
	emptyOptional := "want a string that is not empty; leave the key out when there is no value"
	decision := func(value string) string {
		return bare("tool_decision", `,"tool_name":"shell","call_id":"k1","decision":"`+value+`"`)
	}
	wantDecision := "want one of approved, approved_for_session, denied, abort; got "
	rows := []itemRow{
		// Good ones.
		{name: "conversation starts", item: with("conversation_starts", "")},
		{name: "prefixed name", item: with("conversation_starts", "")[:15] + "codex." + with("conversation_starts", "")[15:]},
		{name: "escaped key", item: `{"event\u002ename":"conversation_starts","conversation.id":"c1"}`},
		{name: "all common", item: with("user_prompt", `"app.version":"1.0","auth_mode":"ApiKey","originator":"o","user.account_id":"u","terminal.type":"t","model":"m","slug":"s","turn.id":"t1","response.id":"r1","request.id":"q1"`)},
		{name: "prompt and length", item: with("user_prompt", `"prompt_length":2`)},
		{name: "prompt and length in digits", item: with("user_prompt", `"prompt_length":"2"`)},
		{name: "length alone", item: bare("user_prompt", `,"prompt_length":5`)},
		{name: "redacted prompt with length", item: bare("user_prompt", `,"prompt":"[REDACTED]","prompt_length":5`)},
		{name: "empty prompt", item: bare("user_prompt", `,"prompt":""`)},
		{name: "characters, not bytes or units", item: bare("user_prompt", `,"prompt":"é🌍","prompt_length":2`)},
		{name: "escaped pair", item: bare("user_prompt", `,"prompt":"\ud83c\udf0d","prompt_length":1`)},
		{name: "half a pair", item: bare("user_prompt", `,"prompt":"ab\ud83c","prompt_length":3`)},
		{name: "approved", item: decision("approved")},
		{name: "approved for session", item: decision("approved_for_session")},
		{name: "abort", item: decision("abort")},
		{name: "older spelling", item: decision("approvedforsession")},
		{name: "enum name", item: decision("ApprovedForSession")},
		{name: "source", item: with("tool_decision", `"source":"user"`)},
		{name: "source as codex spells it", item: with("tool_decision", `"source":"Config"`)},
		{name: "success in words", item: bare("tool_result", `,"tool_name":"t","success":"false"`)},
		{name: "whole result", item: with("tool_result", `"call_id":"k","arguments":"","duration_ms":0,"output":"","mcp_server":"","mcp_server_origin":"stdio"`)},
		{name: "duration in digits", item: with("tool_result", `"duration_ms":"0012"`)},
		{name: "duration with a point", item: with("tool_result", `"duration_ms":12.0`)},
		{name: "greatest duration", item: with("tool_result", `"duration_ms":9007199254740991`)},
		{name: "no servers", item: with("conversation_starts", `"mcp_servers":"","context_window":272000,"max_output_tokens":1,"auto_compact_token_limit":2`)},
		{name: "id", item: with("user_prompt", `"event.id":"a-1~"`)},
		{name: "time", item: with("user_prompt", `"event.timestamp":"2026-03-01T11:59:59.123456789+01:00"`)},
		{name: "time 30 days ago", item: with("user_prompt", `"event.timestamp":"2026-01-30T12:00:00Z"`)},
		{name: "time 24 hours ahead", item: with("user_prompt", `"event.timestamp":"2026-03-02T12:00:00Z"`)},

		// The object.
		{name: "not an object", item: `["a"]`, message: "want a JSON object, got an array", reason: reasonSyntax},
		{name: "null", item: `null`, message: "want a JSON object, got null", reason: reasonSyntax},
		{name: "broken", item: `{"event.name":}`, message: "want a JSON object: invalid character '}' looking for beginning of value at byte 15", reason: reasonSyntax, beyond: true},
		{name: "key twice", item: with("user_prompt", `"model":"a","model":"a"`), field: "model", message: "want the key once, got it again", reason: reasonDuplicateKey, beyond: true},
		{name: "key twice, spelled otherwise", item: with("user_prompt", `"model":"a","mod\u0065l":"a"`), field: "model", message: "want the key once, got it again", reason: reasonDuplicateKey, beyond: true},
		{name: "unknown key", item: with("user_prompt", `"telemetry.source":"wire"`), field: "telemetry.source", message: "unknown key for codex.user_prompt", reason: reasonUnknownKey},
		{name: "misspelled key", item: with("user_prompt", `"turn_id":"t"`), field: "turn_id", message: "unknown key for codex.user_prompt; did you mean turn.id?", reason: reasonUnknownKey},
		{name: "key of another event", item: with("user_prompt", `"success":true`), field: "success", message: "unknown key for codex.user_prompt", reason: reasonUnknownKey},
		{name: "key in other case", item: with("user_prompt", `"Model":"m"`), field: "Model", message: "unknown key for codex.user_prompt; did you mean model?", reason: reasonUnknownKey},
		{name: "long key", item: with("user_prompt", `"`+strings.Repeat("k", 100)+`":1`), field: strings.Repeat("k", 40) + "…", message: "unknown key for codex.user_prompt", reason: reasonUnknownKey},

		// event.name.
		{name: "no name", item: `{"conversation.id":"c1"}`, field: "event.name", message: "want the key, with one of conversation_starts, user_prompt, tool_decision, tool_result", reason: reasonEventName},
		{name: "name misspelled", item: `{"event_name":"user_prompt"}`, field: "event.name", message: `want the key, with one of conversation_starts, user_prompt, tool_decision, tool_result; got "event_name"`, reason: reasonEventName},
		{name: "event of the wire", item: bare("codex.sse_event", ""), field: "event.name", message: `want one of conversation_starts, user_prompt, tool_decision, tool_result; got "codex.sse_event"`, reason: reasonEventName},
		{name: "prefix twice", item: bare("codex.codex.user_prompt", `,"prompt":"a"`), field: "event.name", message: `want one of conversation_starts, user_prompt, tool_decision, tool_result; got "codex.codex.user_prompt"`, reason: reasonEventName},
		{name: "name is a number", item: `{"event.name":1}`, field: "event.name", message: "want a string, got a number", reason: reasonType},
		{name: "name is null", item: `{"event.name":null}`, field: "event.name", message: `want a string, got null`, reason: reasonType},

		// The common keys.
		{name: "no conversation", item: `{"event.name":"user_prompt","prompt":"a"}`, field: "conversation.id", message: missing("user_prompt"), reason: reasonMissing},
		{name: "empty conversation", item: `{"event.name":"user_prompt","conversation.id":"","prompt":"a"}`, field: "conversation.id", message: "want a string that is not empty", reason: reasonValue},
		{name: "empty model", item: with("user_prompt", `"model":""`), field: "model", message: emptyOptional, reason: reasonValue},
		{name: "null model", item: with("user_prompt", `"model":null`), field: "model", message: "want a string, got null; leave the key out when there is no value", reason: reasonType},
		{name: "model is a list", item: with("user_prompt", `"model":["m"]`), field: "model", message: "want a string, got an array", reason: reasonType},
		{name: "long version", item: with("user_prompt", `"app.version":"`+strings.Repeat("1", 257)+`"`), field: "app.version", message: "want at most 256 bytes, got 257", reason: reasonSize},
		{name: "version of many bytes", item: with("user_prompt", `"app.version":"`+strings.Repeat("é", 200)+`"`), field: "app.version", message: "want at most 256 bytes, got 400", reason: reasonSize, beyond: true},
		{name: "not utf-8", item: with("user_prompt", "\"model\":\"a\xff\""), field: "model", message: "want UTF-8, got another byte at 2 of the value", reason: reasonEncoding, beyond: true},

		// event.timestamp and event.id.
		{name: "time without zone", item: with("user_prompt", `"event.timestamp":"2026-03-01T12:00:00"`), field: "event.timestamp", message: "want RFC 3339, such as 2006-01-02T15:04:05.000Z", reason: reasonValue},
		{name: "time with a comma", item: with("user_prompt", `"event.timestamp":"2026-03-01T12:00:00,5Z"`), field: "event.timestamp", message: "want RFC 3339, such as 2006-01-02T15:04:05.000Z", reason: reasonValue},
		{name: "time that never was", item: with("user_prompt", `"event.timestamp":"2026-02-30T12:00:00Z"`), field: "event.timestamp", message: "want RFC 3339, such as 2006-01-02T15:04:05.000Z", reason: reasonValue},
		{name: "time is a number", item: with("user_prompt", `"event.timestamp":1772366400`), field: "event.timestamp", message: "want a string, got a number", reason: reasonType},
		{name: "time long ago", item: with("user_prompt", `"event.timestamp":"2026-01-30T11:59:59Z"`), field: "event.timestamp", message: "want a time at most 30 days ago, got an earlier one", reason: reasonValue, beyond: true},
		{name: "time far ahead", item: with("user_prompt", `"event.timestamp":"2026-03-02T12:00:01Z"`), field: "event.timestamp", message: "want a time at most 24 hours ahead, got a later one", reason: reasonValue, beyond: true},
		{name: "empty id", item: with("user_prompt", `"event.id":""`), field: "event.id", message: emptyOptional, reason: reasonValue},
		{name: "id with a space", item: with("user_prompt", `"event.id":"a b"`), field: "event.id", message: "want printable ASCII characters without spaces", reason: reasonValue},
		{name: "id not ascii", item: with("user_prompt", `"event.id":"é"`), field: "event.id", message: "want printable ASCII characters without spaces", reason: reasonValue},
		{name: "long id", item: with("user_prompt", `"event.id":"`+strings.Repeat("a", 129)+`"`), field: "event.id", message: "want at most 128 bytes, got 129", reason: reasonSize},

		// Prompts.
		{name: "neither prompt nor length", item: bare("user_prompt", ""), field: "prompt_length", message: "want prompt, prompt_length or both", reason: reasonMissing},
		{name: "redacted prompt alone", item: bare("user_prompt", `,"prompt":"[REDACTED]"`), field: "prompt_length", message: "want the key beside a prompt that is [REDACTED]", reason: reasonMissing},
		{name: "length of bytes", item: bare("user_prompt", `,"prompt":"é🌍","prompt_length":6`), field: "prompt_length", message: "want 2, the Unicode characters of prompt; got 6", reason: reasonValue, beyond: true},
		{name: "negative length", item: bare("user_prompt", `,"prompt_length":-1`), field: "prompt_length", message: "want " + digits[5:], reason: reasonValue},
		{name: "long prompt", item: bare("user_prompt", `,"prompt":"`+strings.Repeat("p", DefaultMaxFieldBytes+1)+`"`), field: "prompt", message: "want at most 1048576 bytes, got 1048577", reason: reasonSize},

		// Decisions.
		{name: "no tool", item: bare("tool_decision", `,"call_id":"k","decision":"denied"`), field: "tool_name", message: missing("tool_decision"), reason: reasonMissing},
		{name: "no call", item: bare("tool_decision", `,"tool_name":"t","decision":"denied"`), field: "call_id", message: missing("tool_decision"), reason: reasonMissing},
		{name: "no decision", item: bare("tool_decision", `,"tool_name":"t","call_id":"k"`), field: "decision", message: missing("tool_decision"), reason: reasonMissing},
		{name: "empty tool", item: bare("tool_decision", `,"tool_name":"","call_id":"k","decision":"denied"`), field: "tool_name", message: "want a string that is not empty", reason: reasonValue},
		{name: "other decision", item: decision("maybe"), field: "decision", message: wantDecision + `"maybe"`, reason: reasonValue},
		{name: "long decision", item: decision(strings.Repeat("m", 41)), field: "decision", message: wantDecision + `"` + strings.Repeat("m", 40) + `…"`, reason: reasonValue},
		{name: "unprintable decision", item: decision(`a\u0000\n`), field: "decision", message: wantDecision + "\"a\uFFFD\uFFFD\"", reason: reasonValue},
		{name: "decision is a boolean", item: strings.Replace(decision("x"), `"x"`, `true`, 1), field: "decision", message: "want a string, got a boolean", reason: reasonType},
		{name: "other source", item: with("tool_decision", `"source":"robot"`), field: "source", message: `want one of config, user; got "robot"`, reason: reasonValue},
		{name: "source with a long s", item: with("tool_decision", `"source":"uſer"`), field: "source", message: `want one of config, user; got "uſer"`, reason: reasonValue},

		// Results.
		{name: "no success", item: bare("tool_result", `,"tool_name":"t"`), field: "success", message: missing("tool_result"), reason: reasonMissing},
		{name: "success is a number", item: bare("tool_result", `,"tool_name":"t","success":1`), field: "success", message: `want true, false, "true" or "false", got a number`, reason: reasonType},
		{name: "success in another word", item: bare("tool_result", `,"tool_name":"t","success":"yes"`), field: "success", message: `want true or false; got "yes"`, reason: reasonValue},
		{name: "fraction", item: with("tool_result", `"duration_ms":1.5`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "exponent", item: with("tool_result", `"duration_ms":3e2`), field: "duration_ms", message: digits, reason: reasonValue, beyond: true},
		{name: "negative", item: with("tool_result", `"duration_ms":-1`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "too great", item: with("tool_result", `"duration_ms":9007199254740992`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "much too great", item: with("tool_result", `"duration_ms":99999999999999999999999`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "no digits", item: with("tool_result", `"duration_ms":"12ms"`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "signed digits", item: with("tool_result", `"duration_ms":"+12"`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "empty digits", item: with("tool_result", `"duration_ms":""`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "many digits", item: with("tool_result", `"duration_ms":"1234567890123456"`), field: "duration_ms", message: digits, reason: reasonValue},
		{name: "duration is null", item: with("tool_result", `"duration_ms":null`), field: "duration_ms", message: digits + ", got null; leave the key out when there is no value", reason: reasonType},
		{name: "arguments are an object", item: with("tool_result", `"arguments":{"a":1}`), field: "arguments", message: "want a string, got an object", reason: reasonType},
		{name: "output is a number", item: with("tool_result", `"output":1`), field: "output", message: "want a string, got a number", reason: reasonType},
		{name: "long server", item: with("tool_result", `"mcp_server":"`+strings.Repeat("s", 4097)+`"`), field: "mcp_server", message: "want at most 4096 bytes, got 4097", reason: reasonSize},

		// Starts.
		{name: "window in digits", item: with("conversation_starts", `"context_window":"272000"`), field: "context_window", message: numberMessage + ", got a string", reason: reasonType},
		{name: "servers are a list", item: with("conversation_starts", `"mcp_servers":["a"]`), field: "mcp_servers", message: "want a string, got an array", reason: reasonType},
	}
	var keys strings.Builder
	for range maxKeys {
		keys.WriteString(`,"` + strings.Repeat("x", keys.Len()/8+1) + `":1`)
	}
	return append(rows, itemRow{
		name: "too many keys", item: bare("user_prompt", keys.String()), message: "want at most 48 keys", reason: reasonSize,
	})
}
