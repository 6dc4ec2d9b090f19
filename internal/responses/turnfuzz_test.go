package responses

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// tape keeps the records of a Turn.
type tape []events.Record

// Record implements events.Recorder.
func (k *tape) Record(r events.Record) { *k = append(*k, r) }

// usages returns the tokens told.
func (k *tape) usages() []events.Usage {
	var found []events.Usage
	for _, r := range *k {
		if e, ok := r.Event.(*events.SSEEvent); ok && e.Usage != nil {
			found = append(found, *e.Usage)
		}
	}
	return found
}

// ends returns the records that tell how the response ended.
func (k *tape) ends() []events.SSEEvent {
	var found []events.SSEEvent
	for _, r := range *k {
		if e, ok := r.Event.(*events.SSEEvent); ok && e.EndedBy != "" {
			found = append(found, *e)
		}
	}
	return found
}

// checkIDs wants every record to have an id of its own.
func (k *tape) checkIDs(t *testing.T) {
	t.Helper()
	seen := make(map[string]bool)
	for _, r := range *k {
		if r.ID == "" || seen[r.ID] {
			t.Errorf("id %q of %+v is none or was there before", r.ID, r.Event)
		}
		seen[r.ID] = true
	}
}

// charging says of every response whether its tokens are told.
type charging struct {
	tells bool
	asked int
}

func (*charging) Named(string)          {}
func (*charging) Item(*Item, time.Time) {}

func (c *charging) Charge(Charge) bool {
	c.asked++
	return c.tells
}

// way is how a response is read, and how it ends.
type way struct {
	version           string
	endpoint          Endpoint
	items, tells      bool // somebody takes the items; and lets the tokens be told
	background        bool
	webSocket, unread bool
	messages          bool
	ending            Ending
}

// wayOf makes a way of the bits of a number.
func wayOf(mode uint32) way {
	take := func(n uint32) uint32 {
		taken := mode % n
		mode /= n
		return taken
	}
	versions := []string{"", "0.45.0", "0.58.0", "0.80.0", "0.101.0", "0.125.0", "0.145.0", "0.169.0"}
	endings := []Ending{{By: "completed"}, {By: "upstream"}, {By: "upstream", Err: errors.New("reset")}, {By: "client"}, {By: "idle"}, {By: "proxy"}}
	w := way{version: versions[take(8)]}
	switch take(4) {
	case 0, 1:
		w.endpoint = EndpointOf("POST", "/responses")
	case 2:
		w.endpoint = EndpointOf("POST", "/chat/completions")
	case 3:
		w.endpoint = EndpointOf("GET", "/responses/r1")
	}
	items := take(4)
	w.items, w.tells, w.background = items > 0, items > 1, items > 2
	w.webSocket, w.messages = take(2) == 1, take(2) == 1
	w.ending = endings[take(6)]
	w.unread = take(8) == 1
	return w
}

// charged reports whether tokens are told at all.
func (w way) charged() bool { return !w.items || w.tells || w.endpoint.Chat }

// turn begins a Turn.
func (w way) turn(detail Detail) (*Turn, *tape, *charging) {
	records, items := new(tape), &charging{tells: w.tells}
	cfg := TurnConfig{
		Recorder: records, Scope: new(events.Scope), ExchangeID: "x", Start: time.Unix(1000, 0), Detail: detail,
		Endpoint: w.endpoint, Request: &Request{Background: w.background}, CFRay: "ray", WebSocket: w.webSocket, Messages: w.messages,
	}
	if w.version != "" {
		cfg.Scope.Profile = events.CodexProfile(w.version)
	}
	if w.items {
		cfg.Items = items
	}
	return NewTurn(cfg), records, items
}

// read has a Turn read a stream to its end.
func (w way) read(t *testing.T, detail Detail, stream []StreamEvent) *tape {
	t.Helper()
	turn, records, items := w.turn(detail)
	over := false
	for i := range stream {
		stream[i].At = time.Unix(1000, int64(i+1)*int64(10*time.Millisecond))
		if !w.webSocket {
			turn.Event(stream[i])
		} else if over = turn.Message(stream[i].Data, stream[i].Tail, stream[i].At); over {
			break
		}
	}
	if !over {
		end := w.ending
		end.At, end.Unread = time.Unix(1100, 0), w.unread
		turn.End(end)
	}
	records.checkIDs(t)
	if n := len(records.ends()); n > 1 || n == 0 && !w.unread && !w.endpoint.Chat {
		t.Errorf("%d records tell the end; want one", n)
	}
	if items.asked > 1 {
		t.Errorf("Charge() is asked %d times; want once", items.asked)
	}
	// A chunk of Chat Completions tells its own.
	if n := len(records.usages()); n > 1 && !w.endpoint.Chat || n > 0 && !w.charged() {
		t.Errorf("tokens are told %d times", n)
	}
	return records
}

// streamOf makes events of lines: a name, a tab and data, or data alone, which has its type for a name.
func streamOf(text string) []StreamEvent {
	var stream []StreamEvent
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		name, data, named := strings.Cut(line, "\t")
		if !named {
			name, data = gjson.Get(line, "type").Str, line
		}
		stream = append(stream, StreamEvent{Name: []byte(name), Data: slices.Clip([]byte(data))})
	}
	return stream
}

// cut leaves of data longer than head its beginning and its end, as a decoder does.
func cut(data []byte, head, tail uint16) (beginning, end []byte) {
	n, m := max(int(head), 1), max(int(tail), 1)
	if len(data) <= n {
		return data, nil
	}
	return data[:n:n], data[max(0, len(data)-m):]
}

// FuzzTurn has streams of all kinds, read by all kinds of agents. A response ends once, and its tokens are those that
// encoding/json finds where they belong; how much is told of it, and that its events are cut, makes no others of them.
func FuzzTurn(f *testing.F) {
	const (
		created   = `{"type":"response.created","response":{"id":"r1"}}` + "\n"
		delta     = `{"type":"response.output_text.delta","delta":"hi"}` + "\n"
		usage     = `"usage":{"input_tokens":345,"input_tokens_details":{"cached_tokens":12},"output_tokens":67,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":412}`
		item      = `{"type":"response.output_item.done","item":{"type":"function_call","name":"shell","arguments":"{}","call_id":"c1"}}` + "\n"
		completed = `{"type":"response.completed","response":{"id":"r1","output":[{"type":"message","content":[]}],` + usage + `}}` + "\n"
		stopped   = `{"type":"response.incomplete","response":{"id":"r1",` + usage + `,"incomplete_details":{"reason":"interrupted"}}}` + "\n"
		failed    = `{"type":"response.failed","response":{"id":"r1","error":{"code":"server_error","message":"no"},` + usage + `}}` + "\n"
		decoy     = `{"type":"response.completed","response":{"id":"r1","usage":null,"tools":[{"usage":{"input_tokens":9}}]},"usage":{"output_tokens":8}}` + "\n"
		chat      = `{"id":"c1","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}` + "\n[DONE]\n"
	)
	for i, stream := range []string{
		created + delta + item + completed, created + failed + completed, created + stopped, chat, decoy, completed + completed,
		created + `{"type":"response.done","response":{"id":"r1",` + usage + `}}`,
		"response.completed\t{\"type\":\"response.completed\",\"response\":{\"id\":\"r1\",\"usage\":{\"input_tokens\":1e30,\"output_tokens\":1.5}}}",
		`{"type":"error","status":429,"error":{"type":"usage_limit_reached"},"headers":{"x-codex-primary-used-percent":"12"}}`,
		`{"type":"codex.rate_limits","rate_limits":{"primary":{"used_percent":1.5}}}` + "\n" + completed,
	} {
		for mode := range uint32(8) {
			f.Add(stream, mode+8*uint32(i%2)+64*mode, uint16(20), uint16(300))
		}
		f.Add(stream, uint32(0), uint16(120), uint16(60))
		f.Add(stream, uint32(2*8), uint16(100), uint16(200))
		f.Add(stream, uint32(7+4*8*4), uint16(100), uint16(200))
		f.Add(stream, uint32(5+3*4*8*4), uint16(1000), uint16(200))
	}
	for i, said := range recorded(f).Endings {
		f.Add(said.Name+"\t"+said.Data+"\n"+completed, uint32(i%8), uint16(i), uint16(50))
	}
	f.Fuzz(func(t *testing.T, text string, mode uint32, head, tail uint16) {
		if len(text) > 8<<10 {
			t.Skip("nothing new in more")
		}
		w, stream := wayOf(mode), streamOf(text)
		all := w.read(t, DetailAll, stream)
		checkUsages(t, w, all, stream)
		if want, sure := expected(w, stream); sure {
			if diff := cmp.Diff(want, all.usages(), cmp.Comparer(sameTokens)); diff != "" {
				t.Errorf("tokens of %q (-want +got):\n%s", text, diff)
			}
		}
		for _, detail := range []Detail{DetailLifecycle, DetailCompleted} {
			records := w.read(t, detail, stream)
			if diff := cmp.Diff(all.ends(), records.ends()); diff != "" {
				t.Errorf("detail %d: the end is told otherwise (-all +got):\n%s", detail, diff)
			}
			if diff := cmp.Diff(all.usages(), records.usages()); diff != "" {
				t.Errorf("detail %d: other tokens are told (-all +got):\n%s", detail, diff)
			}
		}
		pieces := slices.Clone(stream)
		for i, e := range pieces {
			if pieces[i].Data, pieces[i].Tail = cut(e.Data, head, tail); pieces[i].Tail != nil && serdeError(e.Data, numbersExact) != "" {
				return // Nobody can tell what it was.
			}
		}
		checkUsages(t, w, w.read(t, DetailAll, pieces), stream)
	})
}
