package session_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// reads asks for a stored response, a second later.
func (k *talk) reads() told {
	k.n++
	k.now = k.now.Add(time.Second)
	exchange := k.tracker.Begin(&session.Arrival{
		Header: headers("user-agent", "OpenAI/Go 3.1.0"), Endpoint: responses.EndpointOf("GET", "/responses/r"),
		ResponseID: "r", ExchangeID: fmt.Sprint("exchange-", k.n), Auth: 2, At: k.now,
	})
	return told{exchange, k.now, nil}
}

// ends brings a response to its end and wants its tokens to be told, or not.
func (x told) ends(t *testing.T, k *talk, c responses.Charge, want bool) {
	t.Helper()
	c.At = k.now.Add(100 * time.Millisecond)
	if got := x.Charge(c); got != want {
		t.Errorf("Charge(%+v) = %t; want %t", c, got, want)
	}
}

var background, foreground = responses.Charge{ResponseID: "r"}, responses.Charge{ResponseID: "r", Foreground: true}

const kept = `{"background":true,"input":"hi"}`

func TestTokensAreToldOnce(t *testing.T) {
	for name, c := range map[string]responses.Charge{"background": background, "foreground": foreground} {
		t.Run("streamed, "+name, func(t *testing.T) {
			k := newTalk(t)
			x := k.sdk(kept)
			x.Named("r")
			x.ends(t, k, c, true)
			k.reads().ends(t, k, c, false)
			k.reads().ends(t, k, c, false)
		})
		t.Run("polled, "+name, func(t *testing.T) {
			k := newTalk(t)
			k.sdk(kept).Named("r")
			k.reads().ends(t, k, c, true)
			k.reads().ends(t, k, c, false)
			k.reads().ends(t, k, c, false)
		})
		t.Run("read while it is streamed, "+name, func(t *testing.T) {
			k := newTalk(t)
			x := k.sdk(kept)
			x.Named("r")
			k.reads().ends(t, k, c, true)
			x.ends(t, k, c, false)
			k.reads().ends(t, k, c, false)
		})
	}
	t.Run("two readers", func(t *testing.T) {
		k := newTalk(t)
		k.sdk(kept).Named("r")
		a, b := k.reads(), k.reads()
		b.ends(t, k, background, true)
		a.ends(t, k, background, false)
	})
	t.Run("named after it was read", func(t *testing.T) {
		k := newTalk(t)
		x := k.sdk(kept)
		k.reads().ends(t, k, background, true)
		x.Named("r")
		x.ends(t, k, background, false)
		k.reads().ends(t, k, background, false)
	})
}

// An upstream that gives every response the same id made them all the same.
func TestTokensOfResponsesWithTheSameID(t *testing.T) {
	k := newTalk(t)
	a, b := k.sdk(kept), k.sdk(kept)
	a.Named("r")
	b.Named("r")
	b.ends(t, k, background, true)
	a.ends(t, k, background, true)
	k.reads().ends(t, k, background, false)
	c := k.sdk(kept)
	c.Named("r")
	k.reads().ends(t, k, background, true)
	d := k.sdk(kept)
	d.Named("r")
	d.ends(t, k, background, true)
}

// What was made before the proxy was started is told if it may have gone on since
// then.
func TestTokensAfterARestart(t *testing.T) {
	k := newTalk(t)
	k.now = time.Unix(1_000_000, 0)
	k.sdk(kept).Named("r")
	for _, test := range []struct {
		age    time.Duration
		charge responses.Charge
		want   bool
	}{{time.Hour, background, true}, {25 * time.Hour, background, false}, {time.Hour, foreground, false}, {-time.Minute, background, true}} {
		k.restart()
		test.charge.Created = k.now.Add(-test.age)
		k.reads().ends(t, k, test.charge, test.want)
		k.reads().ends(t, k, test.charge, false)
	}
	k.restart()
	k.reads().ends(t, k, background, true) // It does not say how old it is.
	k.reads().ends(t, k, responses.Charge{}, false)
}

// What nobody can read again is not remembered, nor what is no response.
func TestTokensOfWhatIsNotKept(t *testing.T) {
	k := newTalk(t)
	x := k.sdk(`{"store":false,"input":"hi"}`)
	x.Named("r")
	x.ends(t, k, foreground, true)
	x.ends(t, k, foreground, true)
	other := told{Exchange: k.tracker.Begin(&session.Arrival{
		Header: headers(), Endpoint: responses.EndpointOf("POST", "/responses/compact"), ExchangeID: "x", At: k.now,
	})}
	other.Named("r")
	other.ends(t, k, foreground, true)
	if got := k.tracker.Counts().Responses; got != 0 {
		t.Errorf("%d responses remembered; want none", got)
	}
}

func TestResponsesAreBounded(t *testing.T) {
	k := newTalk(t)
	k.tracker = session.New(session.Config{MaxResponses: 3, MaxAge: time.Hour})
	for i := range 5 {
		k.sdk(kept).Named(fmt.Sprint("r", i))
	}
	if got := k.tracker.Counts(); got.Responses != 3 || got.ResponsesEvicted != 2 || got.ResponsesExpired != 0 {
		t.Errorf("Counts() = %+v; want 3 responses, 2 evicted", got)
	}
	k.now = k.now.Add(2 * time.Hour)
	k.sdk(kept).Named("r")
	if got := k.tracker.Counts(); got.Responses != 1 || got.ResponsesEvicted != 2 || got.ResponsesExpired != 3 {
		t.Errorf("Counts() = %+v; want 1 response, 3 expired", got)
	}
	// What is heard of again stays.
	k.tracker = session.New(session.Config{MaxResponses: 2})
	k.sdk(kept).Named("r")
	k.sdk(kept).Named("other")
	k.reads().ends(t, k, background, true)
	k.sdk(kept).Named("third")
	k.reads().ends(t, k, background, false)
}
