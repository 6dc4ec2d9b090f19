package responsestest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// ask stands for the agent under test.
func ask(client *http.Client, baseURL, body string) (string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, baseURL+"/responses", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

func ExampleSSE() {
	body := responsestest.SSE(
		responsestest.TextDelta("Hello"),
		responsestest.Comment("keep-alive"),
		responsestest.Event{Name: "codex.rate_limits", Data: "{}"},
	)
	fmt.Printf("%s", body)
	// Output:
	// event: response.output_text.delta
	// data: {"type":"response.output_text.delta","item_id":"msg_1","content_index":0,"delta":"Hello"}
	//
	// : keep-alive
	//
	// event: codex.rate_limits
	// data: {}
}

// In a test the server reports to it and closes with it.
func ExampleNewServer() {
	t := new(testing.T) // stands for the test's own
	srv := responsestest.NewServer(t)
	srv.Once(responsestest.Stream(
		responsestest.Created("resp_1"),
		responsestest.Message("msg_1", "Hello"),
		responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 12, Output: 3}),
	))
	if _, err := ask(srv.Client(), srv.BaseURL(), `{"model":"gpt-5-codex"}`); err != nil {
		t.Fatal(err)
	}
	if got := srv.Requests()[0].JSON("model").String(); got != "gpt-5-codex" {
		t.Errorf("model = %q; want gpt-5-codex", got)
	}
}

// A conversation with a tool: the model asks for a command, the agent runs it
// and calls again with its output.
func ExampleServer_Sequence() {
	srv, err := responsestest.Start(responsestest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Sequence(
		responsestest.Stream(
			responsestest.Created("resp_1"),
			responsestest.FunctionCall("call_1", "shell", `{"command":["echo","hi"]}`),
			responsestest.Completed("resp_1"),
		),
		responsestest.Stream(
			responsestest.Created("resp_2"),
			responsestest.Message("msg_1", "done"),
			responsestest.Completed("resp_2"),
		),
	)
	for _, body := range []string{
		`{"input":"say hi"}`,
		`{"input":[{"type":"function_call_output","call_id":"call_1","output":"hi\n"}]}`,
	} {
		if _, err := ask(srv.Client(), srv.BaseURL(), body); err != nil {
			fmt.Println(err)
		}
	}
	srv.Close()
	output, _ := srv.Requests()[1].ToolOutput("call_1")
	fmt.Printf("%q %v\n", output, srv.Err())
	// Output: "hi\n" <nil>
}

// A call too few is a failure that says what did arrive.
func ExampleServer_Err() {
	srv, err := responsestest.Start(responsestest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Once(responsestest.Stream(responsestest.Completed("resp_1")))
	srv.Close()
	_, what, _ := strings.Cut(srv.Err().Error(), "example_test.go:")
	_, what, _ = strings.Cut(what, ": ")
	fmt.Println(what)
	// Output: got 0 calls; want exactly 1; nothing arrived
}

// Failures first, then success: what a client that retries should survive.
func ExampleError() {
	srv, err := responsestest.Start(responsestest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	srv.Sequence(
		responsestest.Error(http.StatusServiceUnavailable, "server_error", "", "overloaded"),
		responsestest.Response{Events: []responsestest.Event{responsestest.Created("resp_1")}, Abort: responsestest.AbortStream},
		responsestest.Stream(responsestest.Completed("resp_2")),
	)
	for range 3 {
		answer, err := ask(srv.Client(), srv.BaseURL(), `{}`)
		fmt.Println(strings.Contains(answer, "response.completed"), err)
	}
	// Output:
	// false <nil>
	// false unexpected EOF
	// true <nil>
}

// A gate stops the stream where the test wants to look.
func ExampleGate() {
	srv, err := responsestest.Start(responsestest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	gate := responsestest.NewGate()
	srv.Once(responsestest.Stream(
		responsestest.Created("resp_1"),
		gate.Stop(),
		responsestest.Completed("resp_1"),
	))
	answered := make(chan string)
	go func() {
		answer, err := ask(srv.Client(), srv.BaseURL(), `{}`)
		answered <- fmt.Sprint(strings.Count(answer, "event: "), " events, error ", err)
	}()
	<-gate.Reached()
	fmt.Println("calls so far:", len(srv.Requests()))
	gate.Open()
	fmt.Println(<-answered)
	// Output:
	// calls so far: 1
	// 2 events, error <nil>
}

// The answer can depend on the request.
func ExampleServer_Func() {
	srv, err := responsestest.Start(responsestest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	srv.Func(func(r *responsestest.Request) responsestest.Response {
		if !r.JSON("stream").Bool() {
			return responsestest.CompletedJSON("resp_1", responsestest.Usage{NoDetails: true})
		}
		return responsestest.Response{Body: bytes.Repeat([]byte(": busy\n\n"), 2)}
	})
	for _, body := range []string{`{"stream":false}`, `{"stream":true}`} {
		answer, err := ask(srv.Client(), srv.BaseURL(), body)
		fmt.Printf("%q %v\n", answer, err)
	}
	// Output:
	// "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"output\":[],\"usage\":{\"input_tokens\":0,\"output_tokens\":0,\"total_tokens\":0}}" <nil>
	// ": busy\n\n: busy\n\n" <nil>
}
