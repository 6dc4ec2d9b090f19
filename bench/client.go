package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Client speaks to one base URL, such as http://127.0.0.1:8080/v1.
type Client struct {
	BaseURL string
	Header  map[string]string // sent with every request
	Model   string            // model name to send, * standing for the spec; "openai/*", say
	http    *http.Client
}

// newClient allows for conns kept-alive connections. trust is for an https URL.
func newClient(baseURL string, conns int, trust *tls.Config) *Client {
	return &Client{
		BaseURL: strings.TrimSuffix(baseURL, "/"),
		Model:   "*",
		http: &http.Client{Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			MaxIdleConnsPerHost: conns,
			DisableCompression:  true,
			TLSClientConfig:     trust,
			ForceAttemptHTTP2:   trust != nil,
		}},
	}
}

func (c *Client) close() { c.http.CloseIdleConnections() }

// body builds a request of about size bytes: a coding agent's turn with a system prompt, tool results and a question.
// A larger body begins as a smaller one does.
func (c *Client) body(spec Spec, size int) []byte {
	const output = "func handle(w http.ResponseWriter, r *http.Request) {\n\tif r.Method != \"POST\" { return }\n}\n"
	type item map[string]any
	input := []item{{"type": "message", "role": "user", "content": []item{{"type": "input_text", "text": "Say hello."}}}}
	request := item{"type": "response.create", "model": strings.Replace(c.Model, "*", spec.Model(), 1), "stream": true, "store": false, "instructions": "You are a coding agent."}
	for call := 0; size > 4096*(call+1); call++ {
		id := fmt.Sprintf("call_%06d", call)
		input = append(input,
			item{"type": "function_call", "call_id": id, "name": "shell", "arguments": `{"command":["cat","main.go"]}`},
			item{"type": "function_call_output", "call_id": id, "output": strings.Repeat(output, 3700/len(output))})
	}
	request["input"] = input
	body, err := json.Marshal(request)
	if err != nil {
		panic(err) // only strings and maps
	}
	return body
}

// headers returns what goes with every request.
func (c *Client) headers(spec Spec) http.Header {
	header := http.Header{}
	header.Set("Authorization", "Bearer sk-bench-0123456789")
	header.Set("X-Mock", spec.Model()) // for gateways that insist on a model name of their own
	for name, value := range c.Header {
		header.Set(name, value)
	}
	return header
}

// post sends one request. The caller closes the response body.
func (c *Client) post(ctx context.Context, spec Spec, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BaseURL+"/responses", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = c.headers(spec)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	return c.http.Do(r)
}

// open sends a request and waits for the first byte of the stream.
func (c *Client) open(ctx context.Context, spec Spec, body []byte) (*http.Response, error) {
	response, err := c.post(ctx, spec, body)
	if err != nil {
		return nil, err
	}
	if _, err = io.ReadFull(response.Body, make([]byte, 1)); err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	if err != nil {
		response.Body.Close()
		return nil, err
	}
	return response, nil
}

var errIncomplete = errors.New("stream ended without response.completed")

// stream runs one request to the end of its body.
func (c *Client) stream(ctx context.Context, spec Spec, body []byte) (Stream, error) {
	start := time.Now()
	response, err := c.post(ctx, spec, body)
	if err != nil {
		return Stream{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return Stream{}, fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	reader := newStreamReader(start)
	buf := make([]byte, 32<<10)
	for {
		n, err := response.Body.Read(buf)
		if n > 0 {
			reader.read(buf[:n], time.Now())
		}
		if errors.Is(err, io.EOF) {
			return reader.finish()
		}
		if err != nil {
			return reader.Stream, err
		}
	}
}

// takeLedger fetches the upstream's account, which also clears it.
func takeLedger(ctx context.Context, upstream string) (Ledger, error) {
	var ledger Ledger
	err := getJSON(ctx, strings.TrimSuffix(upstream, "/")+"/ledger", &ledger)
	return ledger, err
}

// getJSON fetches a JSON document.
func getJSON(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
