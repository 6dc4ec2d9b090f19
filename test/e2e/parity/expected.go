package parity

import (
	"fmt"
	"strconv"
	"strings"
)

// Expected returns the differences that are not bugs, each with its reason: what Codex tells of its own machine and of its own
// user is not in the traffic.
func Expected() []*Expectation {
	missed := []Kind{Missed}
	return []*Expectation{
		{
			Attribute: "auth.env_*", Kinds: missed,
			Reason: "tells which variables are set in the agent's environment",
		},
		{
			Event: "codex.conversation_starts", Attribute: "provider_name", Kinds: missed,
			Reason: "name of the provider in the agent's configuration",
		},
		{
			Event: "codex.conversation_starts", Attribute: "*", Kinds: missed, Lone: true, Again: true,
			If:     "Codex told of the start of the conversation before",
			Reason: "Codex tells it again when it goes on with a conversation; the proxy tells each conversation once",
		},
		{
			Event: "codex.conversation_starts", Attribute: "context_window", Kinds: missed,
			Reason: "from the agent's configuration, or from its own table of models",
		},
		{
			Event: "codex.conversation_starts", Attribute: "auto_compact_token_limit", Kinds: missed,
			Reason: "from the agent's configuration, or from its own table of models",
		},
		{
			Event: "codex.conversation_starts", Attribute: "max_output_tokens", Kinds: missed, Until: 59,
			Reason: "from the agent's configuration, or from its own table of models",
		},
		{
			Event: "codex.conversation_starts", Attribute: "config.legacy_multi_agent_disabled_sources", Kinds: missed,
			Reason: "from the agent's configuration",
		},
		{
			Event: "codex.tool_result", Attribute: "mcp_server_origin", Kinds: missed,
			If:     "the tool is of an MCP server",
			When:   func(codex, _ map[string]any) bool { return ofServer(codex) },
			Reason: "how the agent reaches the MCP server, which is in its configuration",
		},
		{
			Event: "codex.conversation_starts", Attribute: "reasoning_effort", Kinds: missed, From: 88,
			If:     "it is medium",
			When:   func(codex, _ map[string]any) bool { return codex["reasoning_effort"] == "medium" },
			Reason: "Codex asks for medium by itself; the traffic does not show whether it is configured",
		},
		{
			Event: "codex.conversation_starts", Attribute: "reasoning_summary", Kinds: missed, Unasked: true,
			If:     "no request has it",
			Reason: "Codex leaves it out of its requests for some models, and for none",
		},
		{
			Event: "codex.conversation_starts", Attribute: "reasoning_effort", Kinds: missed, Unasked: true,
			If:     "no request has it",
			Reason: "Codex leaves it out of its requests for some models",
		},
		{
			Event: "codex.tool_result", Attribute: "output", Kinds: []Kind{Differing}, From: 45, Until: 125,
			If:     "the tool is of an MCP server",
			When:   func(codex, _ map[string]any) bool { return startsWith(codex["output"], "Ok(CallToolResult {") },
			Reason: "Codex tells the object that it got from the server as Rust prints it; what it sends to the model is made of it",
		},
		{
			Event: "codex.tool_result", Attribute: "success", Kinds: []Kind{Differing},
			If: "the tool is of an MCP server that says it failed",
			When: func(codex, proxy map[string]any) bool {
				return ofServer(codex) && codex["success"] == "false" && codex["output"] == proxy["output"]
			},
			Reason: "the server's mark of a failure is not sent to the model",
		},
		{
			Event: "codex.tool_result", Attribute: "output", Kinds: []Kind{Differing}, From: 150,
			If:     "the model asked for less of the output than Codex tells",
			When:   func(_, proxy map[string]any) bool { return contains(proxy["output"], " tokens truncated") },
			Reason: "Codex tells the beginning of the whole output; what the model gets is cut in its middle",
		},
		{
			Event: "codex.tool_result", Attribute: "output", Kinds: []Kind{Differing}, From: 142, Until: 148,
			If: "it is a file that Codex took for an image",
			When: func(codex, proxy map[string]any) bool {
				return startsWith(codex["output"], "<image data URL omitted: ") && proxy["output"] == "image content omitted because it could not be processed"
			},
			Reason: "Codex tells how long the file was; what the model gets only says that it is no image",
		},
		{
			Event: "codex.tool_result", Attribute: "agent_name", Kinds: missed, From: 150,
			If:     "a sub-agent called the tool",
			When:   func(codex, _ map[string]any) bool { return codex["agent_name"] != "/root" },
			Reason: "Codex names its sub-agents; their requests do not say how",
		},
		{
			Event: "codex.tool_result", Attribute: "duration_ms", Kinds: []Kind{Differing},
			If: "Codex tells more, and the output tells a time",
			When: func(codex, proxy map[string]any) bool {
				return longer(codex["duration_ms"], proxy["duration_ms"]) && (contains(proxy["output"], "Wall time: ") || contains(proxy["output"], "duration_seconds"))
			},
			Reason: "Codex counts the start of a sandbox and the wait for an approval, too; the output has the time that the command ran",
		},
		{
			Event: "codex.tool_result", Attribute: "duration_ms", Kinds: []Kind{Differing},
			If: "Codex tells less, and the output tells no time",
			When: func(codex, proxy map[string]any) bool {
				return longer(proxy["duration_ms"], codex["duration_ms"]) && !contains(proxy["output"], "Wall time: ") && !contains(proxy["output"], "duration_seconds")
			},
			Reason: "the output comes with the next request, which waits for all calls of the response before",
		},
		{
			Event: "codex.websocket_connect", Attribute: "duration_ms", Kinds: []Kind{Differing},
			If:     "Codex tells more",
			When:   func(codex, proxy map[string]any) bool { return longer(codex["duration_ms"], proxy["duration_ms"]) },
			Reason: "Codex loads the certificates that it trusts in that time, which takes long on a busy machine",
		},
		{
			Attribute: "app.version", Kinds: missed, From: 115, Until: 128,
			If: "the request came over a WebSocket",
			When: func(_, proxy map[string]any) bool {
				return proxy["originator"] == "codex_exec" && proxy["terminal.type"] == nil
			},
			Reason: "these releases send no User-Agent with the handshake",
		},
		{
			Attribute: "terminal.type", Kinds: missed, From: 115, Until: 128,
			If: "the request came over a WebSocket",
			When: func(_, proxy map[string]any) bool {
				return proxy["originator"] == "codex_exec" && proxy["app.version"] == nil
			},
			Reason: "these releases send no User-Agent with the handshake",
		},
		{
			Event: "codex.tool_result", Attribute: "tool_result_seq", Kinds: missed,
			Reason: "number of the result in the agent's process",
		},
	}
}

// ofServer reports whether a result is of a tool of an MCP server.
func ofServer(codex map[string]any) bool {
	server, ok := codex["mcp_server"].(string)
	return ok && server != "" || !ok && contains(codex["tool_name"], "__")
}

func startsWith(value any, start string) bool {
	text, ok := value.(string)
	return ok && strings.HasPrefix(text, start)
}

func contains(value any, part string) bool {
	text, ok := value.(string)
	return ok && strings.Contains(text, part)
}

func longer(a, b any) bool {
	first, err1 := strconv.Atoi(fmt.Sprint(a))
	second, err2 := strconv.Atoi(fmt.Sprint(b))
	return err1 == nil && err2 == nil && first > second
}
