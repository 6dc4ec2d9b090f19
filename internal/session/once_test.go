package session_test

import (
	"maps"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/session"
)

func TestTurnIsToldOnce(t *testing.T) {
	k := newTalk(t)
	k.codex("c", setting, says("hi")).wants(t, "starts", "prompt hi").answers(calls("a"), calls("b"))
	k.codex("c", setting, says("hi"), calls("a"), calls("b"), gives("a", ran), gives("b", ran)).
		wants(t, "decision a approved config", "result a shell true", "decision b approved config", "result b shell true").
		answers(replies("done"))
	k.codex("c", setting, says("hi"), calls("a"), calls("b"), gives("a", ran), gives("b", ran), replies("done"), says("hi")).wants(t, "prompt hi")
}

func TestRetryIsToldOnce(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).wants(t, "starts", "prompt hi")
	k.codex("c", says("hi")).wants(t)
	k.codex("c", says("hi")).wants(t).answers(calls("a")) // The stream broke here.
	k.codex("c", says("hi")).wants(t).answers(calls("b"))
	next := []string{says("hi"), calls("b"), gives("b", ran)}
	k.codex("c", next...).wants(t, "decision b approved", "result b shell true")
	k.codex("c", next...).wants(t)
}

func TestPromptIntoARunningTurn(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).wants(t, "starts", "prompt hi").answers(calls("a"))
	k.codex("c", says("hi"), calls("a"), gives("a", ran), says("hi")).wants(t, "decision a approved", "result a shell true", "prompt hi")
	k.codex("c", says("hi"), calls("a"), gives("a", ran), says("hi"), says("hi")).wants(t, "prompt hi")
}

// Codex up to 0.64 puts each output behind its call.
func TestInterleavedCalls(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).answers(calls("a"), calls("b"), calls("c"))
	k.codex("c", says("hi"), calls("a"), gives("a", ran), calls("b"), gives("b", "unsupported call: shell"), calls("c"), gives("c", ran)).
		wants(t, "decision a approved", "result a shell true", "result b shell false", "decision c approved", "result c shell true")
}

func TestOutputThatNeverComes(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).answers(calls("a"), calls("b"))
	k.codex("c", says("hi"), says("forget it")).wants(t, "prompt forget it")
	k.codex("c", says("hi"), calls("a"), gives("a", "aborted"), calls("b"), gives("b", ran), says("and?")).
		wants(t, "result a shell false", "decision b approved", "result b shell true", "prompt and?")
	if got := k.tracker.Counts().Calls; got != 0 {
		t.Errorf("%d calls in flight; want none", got)
	}
}

func TestTwoConversationsAtOnce(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).wants(t, "starts", "prompt hi").answers(calls("a"))
	k.codex("d", says("hi")).wants(t, "starts", "prompt hi").answers(calls("a"))
	k.codex("d", says("hi"), calls("a"), gives("a", "unsupported call: shell")).wants(t, "result a shell false")
	k.codex("c", says("hi"), calls("a"), gives("a", ran)).wants(t, "decision a approved", "result a shell true")
	k.codex("d", says("hi"), calls("a"), gives("a", "unsupported call: shell"), replies("x"), says("go on")).wants(t, "prompt go on")
}

// An old output with the id of a call that another conversation waits for.
func TestHistoryWithTheIDOfAnotherCall(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).answers(replies("x"))
	k.codex("d", says("hi")).answers(calls("a"))
	k.codex("c", says("hi"), calls("a"), gives("a", ran), replies("x"), says("more")).wants(t, "prompt more")
	if counts := k.tracker.Counts(); counts.Orphans != 0 || counts.Calls != 1 {
		t.Errorf("Counts() = %+v; want no orphans, 1 call", counts)
	}
}

// codex exec resume goes on in the same conversation from another process.
func TestResume(t *testing.T) {
	k := newTalk(t)
	k.codex("c", setting, says("hi")).wants(t, "starts", "prompt hi").answers(replies("x"))
	k.codex("c", setting, says("hi"), replies("x"), setting, says("continue")).wants(t, "prompt continue").answers(replies("y"))
	k.codex("c", setting, says("hi"), replies("x"), setting, says("continue"), replies("y"), says("continue")).wants(t, "prompt continue")
}

func TestRestart(t *testing.T) {
	history := []string{says("hi"), calls("a"), gives("a", ran), replies("x"), says("more")}
	k := newTalk(t)
	k.codex("c", append(history, calls("b"), calls("c"), gives("b", ran), gives("c", ran))...).
		wants(t, "decision b approved", "result b shell true", "decision c approved", "result c shell true")
	k.restart()
	k.codex("c", append(history, calls("b"), gives("b", ran), says("stop"))...).wants(t, "decision b approved", "result b shell true", "prompt stop")
	k.restart()
	k.codex("c", history...).wants(t, "prompt more")
	k.codex("c", history...).wants(t)
	k.restart()
	k.codex("c", says("hi"), summary, says("more")).wants(t, "prompt more")
}

// The same fact has the same id wherever it is seen, and another one another.
func TestIDsOutliveARestart(t *testing.T) {
	ids := func(x told) []string {
		var list []string
		for _, r := range x.Records() {
			list = append(list, r.ID)
		}
		return list
	}
	k := newTalk(t)
	first := ids(k.codex("c", says("hi")))
	history := []string{says("hi"), calls("a"), gives("a", ran), says("hi")}
	second := ids(k.codex("c", history...))
	k.restart()
	if got := ids(k.codex("c", says("hi"))); len(got) != 2 || got[0] != first[0] || got[1] != first[1] {
		t.Errorf("ids after a restart = %q; want %q", got, first)
	}
	k.restart()
	if got := ids(k.codex("c", history...)); len(got) != 3 || got[1] != second[1] || got[2] != second[2] {
		t.Errorf("ids after a restart = %q; want %q", got, second)
	}
	if first[1] == second[2] {
		t.Error("two prompts of the same words have the same id")
	}
}

func TestCompaction(t *testing.T) {
	k := newTalk(t)
	k.codex("c", setting, says("continue")).wants(t, "starts", "prompt continue").answers(replies("x"))
	k.codex("c", setting, says("continue"), replies("x"), says("continue")).wants(t, "prompt continue").answers(calls("a"))
	// In the middle of a turn: the output is in the request for the summary alone.
	k.codex("c", setting, says("continue"), replies("x"), says("continue"), calls("a"), gives("a", ran), compact).
		wants(t, "decision a approved config", "result a shell true").answers(replies("the summary"))
	k.codex("c", setting, says("continue"), says("continue"), summary).wants(t).answers(replies("y"))
	k.codex("c", setting, says("continue"), says("continue"), summary, replies("y"), compact).wants(t).answers(replies("the summary"))
	// What was left out of the history counts no more.
	k.codex("c", says("continue"), summary, setting, says("continue")).wants(t, "prompt continue")
	k.codex("c", says("continue"), summary, setting, says("continue")).wants(t)
}

func TestCompactionOfAnAnsweredPrompt(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).wants(t, "starts", "prompt hi").answers(replies("x"))
	k.codex("c", says("hi"), replies("x"), compact).wants(t).answers(replies("s"))
	k.codex("c", summary, says("hi")).wants(t, "prompt hi")
}

// The request for the summary was not seen, or could not be read.
func TestCompactionUnseen(t *testing.T) {
	k := newTalk(t)
	history := []string{says("continue"), replies("x"), says("continue"), replies("y")}
	k.codex("c", history...)
	k.codex("c", append(history, says("hi"))...).answers(replies("z"))
	k.codex("c", summary, says("continue")).wants(t, "prompt continue")
}

// The first releases to keep the user's words left the summary unmarked, and cut
// what was too long.
func TestCompactionWithAnUnmarkedSummary(t *testing.T) {
	k := newTalk(t)
	k.codex("c", setting, says("hi")).answers(replies("x"))
	k.codex("c", setting, says("hi"), replies("x"), compact).wants(t).answers(replies("the summary"))
	k.codex("c", setting, says("hi…3 tokens truncated…"), says("the summary"), says("next")).wants(t, "prompt next")
	k.codex("c", setting, says("hi…3 tokens truncated…"), says("the summary"), says("next")).wants(t)
}

// A prompt that made the agent compact the history first is sent again after it.
func TestCompactionBeforeAnAnswer(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).answers(replies("x"))
	k.codex("c", says("hi"), replies("x"), says("next")).wants(t, "prompt next") // The context is full.
	k.codex("c", says("hi"), replies("x"), compact).wants(t).answers(replies("s"))
	k.codex("c", says("hi"), summary, says("next")).wants(t)
}

func TestFork(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).wants(t, "starts", "prompt hi").answers(calls("spawn"))
	// The copy answers the call of the original in its own way.
	k.codex("d", says("hi"), calls("spawn"), gives("spawn", "You are the newly spawned agent."), says("do it")).wants(t, "prompt do it")
	k.codex("c", says("hi"), calls("spawn"), gives("spawn", ran)).wants(t, "decision spawn approved", "result spawn shell true")
	k.codex("e", says("hi"), replies("x"), says("another way")).wants(t, "prompt another way")
}

// A copy whose original nobody remembers says itself that it is one.
func TestForkAfterARestart(t *testing.T) {
	for _, said := range []string{`{"forked_from_thread_id":"c"}`, `{"parent_thread_id":"c"}`} {
		k := newTalk(t)
		header := codexAgent("0.169.0", "d")
		header["x-codex-turn-metadata"] = said
		k.send(header, body("", says("hi"), calls("spawn"), gives("spawn", "You are the newly spawned agent."), says("do it"))).
			wants(t, "prompt do it")
	}
}

// A connection that broke may be looked at after the one that took its place.
func TestRetrySeenFirst(t *testing.T) {
	k := newTalk(t)
	agent := codexAgent("0.169.0", "c")
	k.send(agent, `{"type":"response.create","generate":false,"input":[]}`)
	k.now = k.now.Add(time.Second)
	k.send(agent, body("", setting, says("hi"))).wants(t, "starts", "prompt hi")
	k.now = k.now.Add(-2 * time.Second)
	k.send(agent, body("w", setting, says("hi"))).wants(t)
	k.now = k.now.Add(2 * time.Second)
	k.send(agent, body("", setting, says("hi"), replies("x"), says("hi"))).wants(t, "prompt hi")
}

// The history that a sub-agent is given ends where the turn of the other stands.
// Its id says whether it was there before the proxy.
func TestForkOfARunningTurn(t *testing.T) {
	const made, id = 0x01a2093ad005, "01a2093a-d005-7a12-b189-0fa28e85960c"
	for name, test := range map[string]struct {
		started int64
		id      string
		want    []string
	}{
		"made since the start":   {made, id, []string{"starts", "prompt do it"}},
		"made before the start":  {made + 1, id, []string{"prompt do it"}},
		"nobody knows":           {0, "d", []string{"prompt do it"}},
		"not a time in the id":   {0, "01a2093a-d005-4a12-b189-0fa28e85960c", []string{"prompt do it"}},
		"something like such id": {0, "01a2093a-d00x-7a12-b189-0fa28e85960c", []string{"prompt do it"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTalk(t)
			k.tracker = session.New(session.Config{Started: time.UnixMilli(test.started)})
			k.codex("c", setting, says("hi")).answers(calls("spawn"))
			header := codexAgent("0.169.0", test.id)
			header["x-codex-turn-metadata"] = `{"parent_thread_id":"c","history_initialization":"warm_fork","request_kind":"turn"}`
			task := body("", setting, says("hi"), says("do it"))
			k.send(header, task).wants(t, test.want...)
			k.send(header, task).wants(t)
			k.send(header, body("", setting, says("hi"), says("do it"), replies("done"), says("and that"))).wants(t, "prompt and that")
		})
	}
}

// A conversation that was there before the proxy does not start, whatever is
// left of its history.
func TestStartsOnlyOnce(t *testing.T) {
	for said, want := range map[string][]string{
		`{"window_number":0,"history_initialization":"new"}`:         {"starts", "prompt hi"},
		`{"window_number":1,"history_initialization":"new"}`:         {"prompt hi"},
		`{"window_number":0,"history_initialization":"cold_resume"}`: {"prompt hi"},
	} {
		k := newTalk(t)
		header := codexAgent("0.169.0", "c")
		header["x-codex-turn-metadata"] = said
		k.send(header, body("", says("hi"))).wants(t, want...)
	}
}

// A request of another kind that does not say so comes in between.
func TestRetryAfterAnotherRequest(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).wants(t, "starts", "prompt hi")
	k.codex("c", says("give this a title")).wants(t, "prompt give this a title")
	k.codex("c", says("hi")).wants(t)
}

// A response that repeats its calls at the end does so after the agent has gone
// on.
func TestCallToldAgainIsNotWaitedFor(t *testing.T) {
	k := newTalk(t)
	x := k.codex("c", says("hi"))
	x.answers(calls("a"))
	k.codex("c", says("hi"), calls("a"), gives("a", ran)).wants(t, "decision a approved", "result a shell true")
	x.answers(calls("a"))
	if got := k.tracker.Counts().Calls; got != 0 {
		t.Errorf("%d calls in flight; want none", got)
	}
}

// The agent may be faster than whoever watches the response.
func TestOutputSeenBeforeItsCall(t *testing.T) {
	k := newTalk(t)
	late := &journal{}
	agent := codexAgent("0.169.0", "c")
	x := k.sendLate(late, agent, body("", setting, says("hi"))).wants(t, "starts", "prompt hi")
	k.send(agent, body("r1", gives("a", ran))).wants(t)
	x.answers(calls("a"), calls("b"))
	told{Exchange: x.Exchange, records: *late}.wants(t, "decision a approved config", "result a shell true")
	if counts := k.tracker.Counts(); counts.Orphans != 0 || counts.Calls != 1 {
		t.Errorf("Counts() = %+v; want no orphans, 1 call", counts)
	}
	k.send(agent, body("r1", gives("a", ran))).wants(t)
}

// The task of a sub-agent is a prompt of its own thread: Codex tells it there.
func TestSubAgent(t *testing.T) {
	k := newTalk(t)
	header := map[string]string{
		"user-agent": "codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm", "session-id": "c", "thread-id": "d",
		"x-openai-subagent": "collab_spawn", "x-codex-turn-metadata": `{"thread_id":"d","parent_thread_id":"c","request_kind":"turn","history_initialization":"new"}`,
	}
	x := k.send(header, body("", setting, says("do it"))).wants(t, "starts", "prompt do it")
	if got := x.Scope().ConversationID; got != "d" {
		t.Errorf("conversation.id = %q; want d", got)
	}
}

// What is beside a conversation is neither told nor remembered.
func TestOtherKindsOfRequests(t *testing.T) {
	k := newTalk(t)
	kinds := map[string]map[string]string{
		"memory":           {"x-codex-turn-metadata": `{"request_kind":"memory"}`},
		"memory by header": {"x-openai-memgen-request": "true"},
		"compaction":       {"x-codex-turn-metadata": `{"request_kind":"compaction"}`},
		"compact agent":    {"x-openai-subagent": "compact"},
		"prewarm":          {"x-codex-turn-metadata": `{"request_kind":"prewarm"}`},
		"something new":    {"x-codex-turn-metadata": `{"request_kind":"title"}`},
	}
	for name, header := range kinds {
		maps.Copy(header, codexAgent("0.169.0", "c"))
		k.send(header, body("", says("write a "+name))).wants(t)
	}
	k.codex("c", says("hi")).wants(t, "starts", "prompt hi")
}

// Over WebSocket Codex warms up first, and then sends only what is new.
func TestContinuedResponses(t *testing.T) {
	k := newTalk(t)
	agent := codexAgent("0.169.0", "c")
	k.send(agent, `{"type":"response.create","generate":false,"input":[]}`).wants(t)
	first := k.now
	x := k.send(agent, body("w", setting, says("hi"))).wants(t, "starts", "prompt hi")
	if got := x.Records()[0].Time; !got.Equal(first) {
		t.Errorf("starts at %s; want %s, when the connection warmed up", got, first)
	}
	k.send(agent, body("w", setting, says("hi"))).wants(t) // Again, on another connection.
	k.send(agent, `{"client_metadata":{"start":"1795357470526"},`+body("w", setting, says("hi"))[1:]).wants(t)
	k.send(agent, body("w", setting, says("hi"))).wants(t).answers(calls("a"))
	k.send(agent, body("r1", gives("a", ran))).wants(t, "decision a approved config", "result a shell true").answers(replies("x"))
	k.send(agent, body("r2", says("hi"))).wants(t, "prompt hi")
	// previous_response_not_found: the whole history.
	k.send(agent, body("", setting, says("hi"), calls("a"), gives("a", ran), replies("x"), says("hi"))).wants(t).answers(replies("y"))
	k.send(agent, body("r3", says("hi"))).wants(t, "prompt hi")
	k.restart()
	k.send(agent, body("r4", says("more"))).wants(t, "prompt more")
	// The history before was never seen.
	k.send(agent, body("", says("more"), replies("x"), says("more"), replies("y"), says("more"))).wants(t)
	k.send(agent, body("r5", gives("gone", ran))).wants(t)
	if got := k.tracker.Counts().Orphans; got != 1 {
		t.Errorf("%d orphans; want 1", got)
	}
}
