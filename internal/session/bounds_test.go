package session_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

func TestConversationsExpire(t *testing.T) {
	k := newTalk(t)
	k.tracker = session.New(session.Config{MaxAge: time.Hour})
	k.codex("c", says("hi")).answers(calls("a"))
	k.now = k.now.Add(50 * time.Minute)
	k.codex("c", says("hi"), says("still here")).wants(t, "prompt still here")
	k.now = k.now.Add(2 * time.Hour)
	k.codex("d", says("hi"))
	counts := k.tracker.Counts()
	if counts.Conversations != 1 || counts.Expired != 1 || counts.Calls != 0 || counts.CallsDropped != 1 {
		t.Errorf("Counts() = %+v; want 1 remembered, 1 expired with 1 call", counts)
	}
	if k.tracker.InFlight([]byte("a")) {
		t.Error("InFlight() = true of an expired call; want false")
	}
	// It goes on like after a restart.
	k.codex("c", says("hi"), calls("a"), gives("a", ran)).wants(t, "decision a approved", "result a shell true")
}

func TestCallsExpire(t *testing.T) {
	k := newTalk(t)
	k.tracker = session.New(session.Config{MaxAge: time.Hour})
	k.codex("c", says("hi")).answers(calls("a"))
	for range 2 {
		k.now = k.now.Add(50 * time.Minute)
		k.codex("c", says("hi")).answers(calls("b"))
	}
	if counts := k.tracker.Counts(); counts.Calls != 1 || counts.CallsDropped != 1 || k.tracker.InFlight([]byte("a")) {
		t.Errorf("Counts() = %+v; want 1 call, 1 dropped", counts)
	}
}

func TestBytesAreBounded(t *testing.T) {
	k := newTalk(t)
	k.tracker = session.New(session.Config{MaxBytes: 1 << 20})
	for i := range 100 {
		name := fmt.Sprint("c", i)
		big := `{"type":"function_call","name":"shell","arguments":"` + strings.Repeat("x", 100_000) + `","call_id":"` + name + `"}`
		k.codex(name, says("hi")).answers(big)
	}
	counts := k.tracker.Counts()
	if counts.Bytes > 1<<20 || counts.Conversations < 5 || counts.Conversations > 11 || counts.Evicted != 100-counts.Conversations {
		t.Errorf("Counts() = %+v; want about 10 conversations in 1 MB", counts)
	}
	if !k.tracker.InFlight([]byte("c99")) || k.tracker.InFlight([]byte("c0")) {
		t.Error("the oldest call is remembered, or the newest is not")
	}
}

func TestCallsOfAConversationAreBounded(t *testing.T) {
	k := newTalk(t)
	x := k.codex("c", says("hi"))
	for i := range 300 {
		x.answers(calls(fmt.Sprint("a", i)))
	}
	if counts := k.tracker.Counts(); counts.Calls != 256 || counts.CallsDropped != 44 {
		t.Errorf("Counts() = %+v; want 256 calls, 44 dropped", counts)
	}
	k.codex("c", gives("a299", ran)).wants(t, "decision a299 approved", "result a299 shell true")
}

// A conversation that says the same over and over is heard for as long as it
// goes on.
func TestManyPrompts(t *testing.T) {
	k := newTalk(t)
	var history []string
	for range 1015 {
		history = append(history, says("continue"))
	}
	history = append(history, replies("x"))
	k.codex("c", history...).wants(t)
	for range 20 {
		history = append(history, says("continue"))
		k.codex("c", history...).wants(t, "prompt continue")
		k.codex("c", history...).wants(t)
		history = append(history, replies("x"))
	}
}

func TestCutIsCounted(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says(strings.Repeat("x", 1<<20))).wants(t, "starts", "prompt "+strings.Repeat("x", 512<<10))
	if got := k.tracker.Counts().Cut; got != 1 {
		t.Errorf("Counts().Cut = %d; want 1", got)
	}
}

// TestConcurrentConversations wants the same of each of many conversations that
// go on at once, under the race detector.
func TestConcurrentConversations(t *testing.T) {
	tracker := session.New(session.Config{MaxConversations: 40})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			name := fmt.Sprint("c", i)
			now := time.Unix(1000, 0)
			var history []string
			prompts, results := 0, 0
			for turn := range 20 {
				now = now.Add(time.Second)
				history = append(history, says(fmt.Sprint("prompt ", turn)))
				x := begin(tracker, "x", codexAgent("0.125.0", name), []byte(body("", history...)), now)
				prompts += len(x.Records())
				item := responses.ParseItem([]byte(calls(fmt.Sprint("a", turn))))
				x.Item(&item, now)
				history = append(history, calls(fmt.Sprint("a", turn)), gives(fmt.Sprint("a", turn), "unsupported call: shell"))
				results += len(begin(tracker, "x", codexAgent("0.125.0", name), []byte(body("", history...)), now).Records())
				tracker.InFlight([]byte("a1"))
				tracker.Counts()
			}
			if prompts != 21 || results != 20 {
				t.Errorf("%d starts and prompts, %d results; want 21 and 20", prompts, results)
			}
		})
	}
	wg.Wait()
}

// TestAlikeConversationsAreNotMerged has many programs say the same at once to an
// upstream that gives all of them the same ids.
func TestAlikeConversationsAreNotMerged(t *testing.T) {
	tracker := session.New(session.Config{MaxConversations: 400})
	var mu sync.Mutex
	owner := map[string]int{}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			now := time.Unix(1000, 0)
			var history []string
			for turn := range 12 {
				now = now.Add(time.Second)
				id := fmt.Sprint("a", turn)
				history = append(history, says(fmt.Sprint("prompt ", turn)))
				for n := range 2 {
					x := begin(tracker, fmt.Sprintf("x-%d-%d-%d", i, turn, n), sdk, []byte(body("", history...)), now)
					item := responses.ParseItem([]byte(tool(id)))
					x.Item(&item, now)
					mu.Lock()
					if other, ok := owner[x.Scope().ConversationID]; ok && other != i {
						t.Errorf("program %d is in the conversation of %d", i, other)
					}
					owner[x.Scope().ConversationID] = i
					mu.Unlock()
					if n == 0 {
						history = append(history, tool(id), gives(id, "sunny"))
					}
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkBegin is what a request costs beside reading it: a history of 50
// turns with one new prompt, by many agents at once.
func BenchmarkBegin(b *testing.B) {
	tracker := session.New(session.Config{})
	var items []string
	for i := range 50 {
		items = append(items, says(fmt.Sprint("prompt ", i)), calls(fmt.Sprint("a", i)), gives(fmt.Sprint("a", i), ran), replies("x"))
	}
	raw := []byte(body("", append(items, says("next"))...))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			begin(tracker, "x", codexAgent("0.125.0", fmt.Sprint("c", n%1000)), raw, time.Unix(1000, 0))
		}
	})
}
