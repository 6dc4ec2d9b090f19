package e2e_test

import (
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/parity"
)

// scenario is what an upstream answers to the first requests of a CLI, and how the CLI is run. The upstream answers done to
// the requests that follow.
type scenario struct {
	name      string
	responses []responsestest.Response
	// answer is asked first; nil is no answer. n counts the requests from 0.
	answer  func(n int, r *responsestest.Request) *responsestest.Response
	prompts []string                   // of one run each, which goes on with the conversation of the one before; none: one that says hello
	setup   func(cfg *codexcli.Config) // nil: nothing
	fails   bool                       // the CLI may give up, and lose the last of its telemetry then
	wide    bool                       // runs in the full matrix only
	only    string                     // transport that it is for, or empty
	from    int                        // first release that can do it, by its minor version
	until   int                        // first release that refuses it, by its minor version; 0: none
}

// usage is what most answers say they cost.
var usage = responsestest.Usage{Input: 1200, Cached: 1024, Output: 42, Reasoning: 10, Total: 1242}

// done is a whole answer.
var done = responsestest.Stream(
	responsestest.Created("resp_1"),
	responsestest.Message("msg_1", "Hello"),
	responsestest.CompletedWithTokens("resp_1", usage),
)

// scenarios returns the scenarios for a CLI over a transport.
func scenarios(t *testing.T, cli codexcli.CLI, transport string, full bool) []scenario {
	t.Helper()
	list := []scenario{{name: "simple"}}
	list = append(list, broken(transport)...)
	list = append(list, toolScenarios()...)
	list = append(list, talks()...)
	if transport == overHTTP {
		list = append(list, chained("streams", streams()), chained("recoveries", failures()), documents(t))
		list = append(list, refusals()...)
	}
	return slices.DeleteFunc(list, func(s scenario) bool {
		return s.wide && !full || s.only != "" && s.only != transport || parity.Minor(cli.Version) < s.from || s.until > 0 && parity.Minor(cli.Version) >= s.until
	})
}

// turn is an answer that makes calls.
func turn(id string, calls ...responsestest.Event) responsestest.Response {
	events := append([]responsestest.Event{responsestest.Created(id)}, calls...)
	return responsestest.Stream(append(events, responsestest.CompletedWithTokens(id, usage))...)
}

// turns answers with one call after the other.
func turns(calls ...responsestest.Event) []responsestest.Response {
	var list []responsestest.Response
	for i, call := range calls {
		list = append(list, turn("r"+strconv.Itoa(i+1), call))
	}
	return list
}

// chained has all of some scenarios after another in one turn: after each there is a call, and so a further request.
func chained(name string, list []scenario) scenario {
	all := scenario{name: name}
	for i, s := range list {
		if s.fails {
			continue
		}
		all.responses = append(all.responses, s.responses...)
		next := responsestest.FunctionCall("call_"+strconv.Itoa(i), "update_plan", `{"plan":[{"step":"`+s.name+`","status":"pending"}]}`)
		all.responses = append(all.responses, turn("next_"+strconv.Itoa(i), next))
	}
	return all
}

// mount has the upstream play the scenario.
func (s *scenario) mount(upstream *responsestest.Server) {
	var asked atomic.Int64
	upstream.Func(func(r *responsestest.Request) responsestest.Response {
		n := int(asked.Add(1)) - 1
		if s.answer != nil {
			if response := s.answer(n, r); response != nil {
				return *response
			}
		}
		if n < len(s.responses) {
			return s.responses[n]
		}
		return done
	})
}
