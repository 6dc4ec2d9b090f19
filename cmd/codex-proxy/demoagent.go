package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// What is said in the demo.
const (
	demoConversation = "0199a213-81c0-7800-8aa1-bbab2a035a53"
	demoPrompt       = "Which files are here?"
	demoCallID       = "call_1"
	demoArguments    = `{"command":["ls"],"workdir":"/tmp/demo"}`
	demoOutput       = "README.md\nmain.go\n"
)

// demoTurn returns the model's two answers to the prompt: a tool call, then the text.
func demoTurn() []responsestest.Response {
	call := responsestest.Stream(
		responsestest.Created("resp_1"),
		responsestest.FunctionArgumentsDelta(demoCallID, demoArguments),
		responsestest.FunctionCall(demoCallID, "shell", demoArguments),
		responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 1834, Cached: 1024, Output: 27, Reasoning: 12}),
	)
	text := []responsestest.Event{responsestest.Created("resp_2")}
	text = append(text, responsestest.MessageStream("msg_1", "There are ", "two files: ", "README.md ", "and main.go.")...)
	text = append(text, responsestest.CompletedWithTokens("resp_2", responsestest.Usage{Input: 1889, Cached: 1792, Output: 15}))
	answer := responsestest.Stream(text...)
	call.EventDelay, answer.EventDelay = demoPace, demoPace
	return []responsestest.Response{call, answer}
}

// isCompletion reports whether an event is the end of a response.
func isCompletion(event console.Event) bool {
	return gjson.GetBytes(event.Data, "event\\.kind").String() == "response.completed"
}

// demoAgent sends what Codex 0.45 would send, and reports what only an agent knows.
type demoAgent struct {
	proxyURL string
	client   *http.Client
}

func newDemoAgent(proxyURL string) *demoAgent {
	return &demoAgent{proxyURL: proxyURL, client: &http.Client{Transport: &http.Transport{}}}
}

// talk holds the conversation.
func (d *demoAgent) talk(ctx context.Context) error {
	defer d.client.CloseIdleConnections()
	prompt := map[string]any{
		"type": "message", "role": "user",
		"content": []any{map[string]any{"type": "input_text", "text": demoPrompt}},
	}
	call := map[string]any{"type": "function_call", "name": "shell", "call_id": demoCallID, "arguments": demoArguments}
	output := map[string]any{"type": "function_call_output", "call_id": demoCallID, "output": demoOutput}
	steps := []func() error{
		func() error { return d.report(ctx, map[string]any{"event.name": "user_prompt", "prompt": demoPrompt}) },
		func() error { return d.ask(ctx, prompt) },
		func() error {
			return d.report(ctx, map[string]any{
				"event.name": "tool_decision", "tool_name": "shell", "call_id": demoCallID,
				"decision": "approved", "source": "config",
			})
		},
		func() error {
			return d.report(ctx, map[string]any{
				"event.name": "tool_result", "tool_name": "shell", "call_id": demoCallID, "arguments": demoArguments,
				"duration_ms": 35, "success": true, "output": demoOutput,
			})
		},
		func() error { return d.ask(ctx, prompt, call, output) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// report tells the proxy of one event.
func (d *demoAgent) report(ctx context.Context, event map[string]any) error {
	event["conversation.id"] = demoConversation
	return d.post(ctx, report.EventsPath, event, http.StatusAccepted)
}

// ask sends the conversation so far and reads the answer to its end.
func (d *demoAgent) ask(ctx context.Context, input ...any) error {
	return d.post(ctx, "/v1/responses", map[string]any{
		"model": "gpt-5-codex", "instructions": "You are a coding agent.", "input": input,
		"tools": []any{map[string]any{
			"type": "function", "name": "shell", "strict": false,
			"parameters": map[string]any{"type": "object", "properties": map[string]any{
				"command": map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
			}},
		}},
		"tool_choice": "auto", "parallel_tool_calls": false, "store": false, "stream": true,
		"prompt_cache_key": demoConversation,
	}, http.StatusOK)
}

// post sends a body the way Codex does, and expects a status.
func (d *demoAgent) post(ctx context.Context, path string, body any, status int) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.proxyURL+path, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "text/event-stream", "OpenAI-Beta": "responses=experimental",
		"User-Agent": "codex_exec/0.45.0 (Debian 12.0.0; x86_64) xterm", "originator": "codex_exec",
		"conversation_id": demoConversation, "session_id": demoConversation,
	} {
		req.Header.Set(name, value)
	}
	res, err := d.client.Do(req)
	if err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != status {
		return fmt.Errorf("post %s: status %d: %s", path, res.StatusCode, strings.TrimSpace(string(answer)))
	}
	return nil
}
