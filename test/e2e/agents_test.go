package e2e_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
	"github.com/codex-proxy/codex-proxy/test/e2e/sdk"
)

// program uses an SDK against the API at baseURL and returns what the SDK made of the answers, as JSON. Its runs 0 and 1 go on
// at the same time.
type program func(t *testing.T, run int, baseURL string) json.RawMessage

// agent is a program that uses an SDK, what the API answers it, and what the proxy is to tell of that.
type agent struct {
	program program
	// api mounts the answers.
	api func(api *responsestest.Server)
	// failures are the errors of the SDK that the program sees.
	failures []string
	// socket says how the API speaks WebSocket, if it does.
	socket responsestest.WebSocket
	// want is what the proxy tells, as a [story].
	want []string
}

// players are a script that runs twice: for runs without the proxy and through it.
type players [2]*sdk.Player

// startPlayers runs a script until the test ends.
func startPlayers(t *testing.T, script string) players {
	t.Helper()
	kit, err := sdk.Install(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return players{kit.Start(t, script, agentKey), kit.Start(t, script, agentKey)}
}

// scenario returns a program that plays a scenario of the script.
func (p players) scenario(name string) program {
	return func(t *testing.T, run int, baseURL string) json.RawMessage {
		t.Helper()
		return p[run].Play(t, name, baseURL)
	}
}

// check runs the program twice, without the proxy and through it, and wants no difference: neither in what the program got nor
// in what the API was asked. Then it holds the records against the story.
func (a *agent) check(t *testing.T) {
	t.Helper()
	collector := receiver.Start(t, receiver.Options{})
	var apis [2]*responsestest.Server
	for i := range apis {
		var err error
		if apis[i], err = responsestest.Start(responsestest.Options{TB: t, WebSocket: a.socket}); err != nil {
			t.Fatal(err)
		}
		a.api(apis[i])
	}
	p := serve(t, apis[1].BaseURL(), ways()[0].table(collector, exporter{}))
	var got [2]json.RawMessage
	var runs sync.WaitGroup
	for i, baseURL := range []string{apis[0].BaseURL(), p.url + "/v1"} {
		runs.Go(func() { got[i] = a.program(t, i, baseURL) })
	}
	runs.Wait()
	if t.Failed() {
		t.FailNow()
	}
	alone, proxied := decoded(t, got[0]), decoded(t, got[1])
	if diff := cmp.Diff(a.failures, sdkErrors(alone)); diff != "" {
		t.Errorf("what the SDK fails with (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(alone, proxied); diff != "" {
		t.Errorf("what the SDK returns (-without the proxy +through it):\n%s", diff)
	}
	if diff := cmp.Diff(asked(t, apis[0]), asked(t, apis[1])); diff != "" {
		t.Errorf("what the API was asked (-without the proxy +through it):\n%s", diff)
	}
	p.stop()
	// What agents may report, too, is kept back for a while.
	records := collector.Sink.Records()
	slices.SortStableFunc(records, func(a, b receiver.Record) int { return a.Time.Compare(b.Time) })
	checkAgentRecords(t, records)
	if diff := cmp.Diff(a.want, story(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// decoded is a document as values, for a readable difference.
func decoded(t *testing.T, document json.RawMessage) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// sdkErrors returns the names of the errors in what a script returned.
func sdkErrors(value any) []string {
	var names []string
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			names = append(names, sdkErrors(element)...)
		}
	case map[string]any:
		if name, ok := value["failed"].(string); ok {
			return []string{name}
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			names = append(names, sdkErrors(value[key])...)
		}
	}
	return names
}

// question is a request as it arrived at the API.
type question struct {
	Line   string // method, target and protocol
	Header http.Header
	Body   string
	Sum    string // SHA-256 of the body
	End    string // how the answer ended
}

// asked returns what an API was asked, in its order, once all answers are at their end.
func asked(t *testing.T, api *responsestest.Server) []question {
	t.Helper()
	requests := slices.Concat(api.Requests(), api.OtherRequests(), api.Upgrades())
	slices.SortFunc(requests, func(a, b *responsestest.Request) int { return a.At.Compare(b.At) })
	var questions []question
	for _, r := range requests {
		select {
		case <-r.Done():
		case <-time.After(stopTimeout):
			t.Fatalf("the answer to %s does not end", r)
		}
		q := question{
			Line: r.Method + " " + r.RequestURI + " " + r.Proto, Header: r.Header.Clone(), Body: string(r.Body), Sum: hex.EncodeToString(r.BodySHA256[:]),
		}
		q.Header.Del("Connection")        // which is about one hop
		q.Header.Del("Sec-Websocket-Key") // which is random
		for _, end := range []error{responsestest.ErrAborted, responsestest.ErrClientGone} {
			if errors.Is(r.Err(), end) {
				q.End = end.Error()
			}
		}
		questions = append(questions, q)
	}
	return questions
}
