package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestOpenAIGo plays programs with openai-go.
func TestOpenAIGo(t *testing.T) {
	hello := stored("resp_1", "completed")
	broken := soon(responsestest.Error(http.StatusServiceUnavailable, "server_error", "", "no"))
	limited := soon(responsestest.Error(http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "slow down"))
	stops := responsestest.Stream(slices.Insert(greeting("resp_1"), 4, never())...)
	agents := map[string]agent{
		"new": {
			program: goAgent(goNew),
			api:     func(api *responsestest.Server) { api.Once(hello) },
			want:    slices.Concat(begins("1", 9), created("1", 0)),
		},
		"new compressed": {
			program: goAgent(goNew),
			api: func(api *responsestest.Server) {
				compressed := hello
				compressed.Encoding = "gzip"
				api.Once(compressed)
			},
			want: slices.Concat(begins("1", 9), created("1", 0)),
		},
		"streaming": {
			program: goAgent(goStream),
			api:     func(api *responsestest.Server) { api.Once(responsestest.Stream(greeting("resp_1")...)) },
			want:    slices.Concat(begins("1", 9), asks("1", 0), greeted()),
		},
		"retry": {
			program: goAgent(goStream),
			api: func(api *responsestest.Server) {
				api.Sequence(broken, limited, responsestest.Stream(greeting("resp_1")...))
			},
			want: slices.Concat(begins("1", 9), []string{
				"1 POST /responses 503 attempt 0: http 503 (ERROR)",
				"1 POST /responses 429 attempt 1: http 429 (ERROR)",
			}, asks("1", 2), greeted()),
		},
		"leave": {
			program: goAgent(goLeave),
			api:     func(api *responsestest.Server) { api.Once(stops) },
			want: slices.Concat(begins("1", 9), prefixed("1",
				"POST /responses 200 attempt 0",
				"response.created",
				"response.output_item.added",
				"response.content_part.added",
				"response.output_text.delta",
				"end by client: the agent closed the stream before it was complete",
			)),
		},
	}
	for name, a := range agents {
		t.Run(name, a.check)
	}
}

// goAgent returns a program of openai-go. It has connections of its own, since the package's are those of the whole process.
func goAgent(play func(context.Context, openai.Client) (any, error)) program {
	return func(t *testing.T, _ int, baseURL string) json.RawMessage {
		t.Helper()
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		client := openai.NewClient(
			option.WithBaseURL(baseURL), option.WithAPIKey(agentKey), option.WithHTTPClient(&http.Client{Transport: transport}),
		)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		result, err := play(ctx, client)
		if err != nil {
			t.Error(err)
		}
		document, err := json.Marshal(result)
		if err != nil {
			t.Error(err)
		}
		return document
	}
}

// goParams is what the programs ask.
func goParams() responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: "gpt-5",
		Input: responses.ResponseNewParamsInputUnion{OfString: param.NewOpt("say hello")},
	}
}

func goNew(ctx context.Context, client openai.Client) (any, error) {
	response, err := client.Responses.New(ctx, goParams())
	if err != nil {
		return nil, err
	}
	return []string{response.RawJSON(), response.OutputText()}, nil
}

func goStream(ctx context.Context, client openai.Client) (any, error) {
	return goEvents(client.Responses.NewStreaming(ctx, goParams()), "")
}

func goLeave(ctx context.Context, client openai.Client) (any, error) {
	return goEvents(client.Responses.NewStreaming(ctx, goParams()), "response.output_text.delta")
}

// goEvents reads a stream, up to the first event of a type or to its end.
func goEvents(stream *ssestream.Stream[responses.ResponseStreamEventUnion], last string) (any, error) {
	defer stream.Close()
	var events []string
	for stream.Next() {
		event := stream.Current()
		events = append(events, event.RawJSON())
		if event.Type == last {
			break
		}
	}
	return events, stream.Err()
}

// goSocket asks twice on one WebSocket.
func goSocket(ctx context.Context, client openai.Client) (any, error) {
	connection, err := client.Responses.Connect(ctx, responses.ResponseConnectionOptions{})
	if err != nil {
		return nil, err
	}
	var events []string
	for _, question := range []string{
		`{"type":"response.create","model":"gpt-5","input":"say hello"}`,
		`{"type":"response.create","model":"gpt-5","input":"once more","previous_response_id":"resp_1"}`,
	} {
		if err := connection.SendRaw(ctx, json.RawMessage(question)); err != nil {
			return nil, errors.Join(err, connection.Close())
		}
		for {
			event, err := connection.Recv(ctx)
			if err != nil {
				return nil, errors.Join(err, connection.Close())
			}
			events = append(events, event.RawJSON())
			if event.Type == "response.completed" {
				break
			}
		}
	}
	return events, connection.Close()
}
