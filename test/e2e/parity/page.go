package parity

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// total is a line of the table.
type total struct {
	scenarios, events, lost                                 int
	matched, missed, differing, invented, underivable, lone int
}

func (t *total) add(r *Result) {
	t.scenarios++
	t.events += r.Events
	t.lost += r.Lost
	t.matched += r.Matched
	t.missed += r.Count(Missed)
	t.differing += r.Count(Differing)
	t.invented += r.Count(Invented)
	t.underivable += r.Underivable
	for i := range r.Unexpected {
		if d := &r.Unexpected[i]; d.Lone && d.Kind == Invented && d.Attribute == "event.timestamp" {
			t.lone++
		}
	}
}

// share is that of the derivable attributes of Codex which the proxy told as Codex did.
func (t *total) share() string {
	all := t.matched + t.missed + t.differing
	if all == 0 {
		return "—"
	}
	percent := 100 * float64(t.matched) / float64(all)
	if t.matched < all {
		percent = min(percent, 99.99)
	}
	return fmt.Sprintf("%.2f %%", percent)
}

func (t *total) row(head string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d | %d | %s |\n",
		head, t.scenarios, t.events, t.matched, t.missed, t.differing, t.invented, t.lone, t.underivable, t.share())
}

// Page returns docs/parity.md: what was compared, what differs, and what was expected to.
func (m *Matrix) Page(expected []*Expectation, at time.Time) []byte {
	occurred := m.Occurred()
	m.mu.Lock()
	defer m.mu.Unlock()
	var b bytes.Buffer
	fmt.Fprintf(&b, head, at.UTC().Format(time.DateOnly))
	m.table(&b)
	m.unexpected(&b)
	m.others(&b)
	b.WriteString("## What the traffic does not tell\n\n" + expectedHead)
	for _, e := range expected {
		event := "any"
		if e.Event != "" {
			event = "`" + e.Event + "`"
		}
		attribute := "the event"
		if e.Attribute != "*" {
			attribute = "`" + e.Attribute + "`"
		}
		count := fmt.Sprint(occurred[e])
		if occurred[e] == 0 {
			count = "never"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", event, attribute, kinds(e.Kinds), releases(e), e.If, count, e.Reason)
	}
	return b.Bytes()
}

const head = `# Parity with Codex's own telemetry

<!-- Made by make parity, which runs the matrix. Do not edit. -->

Each line below is a released Codex CLI that ran behind the proxy with its own telemetry on. The proxy was told nothing but the
traffic; what it exported in the schema ` + "`codex`" + ` is held against what the CLI exported, event by event and attribute by
attribute. Last run on %s.

- **Events** are those of Codex: ` + "`codex.conversation_starts`, `user_prompt`, `tool_decision`, `tool_result`, `api_request`," + `
  ` + "`sse_event`, `websocket_connect`, `websocket_request` and `websocket_event`." + `
- **Matched** attributes have the same type and value; durations and times about the same.
- **Missed** are those that the proxy does not tell, **differing** those that it tells otherwise, **invented** those of Codex's that it
  tells and Codex does not. An event that only one of both tells has all of its attributes counted; **events invented** are those of the proxy.
- **Not derivable** are the ones that no traffic shows, by the list below.
- The **share** is that of the matched ones among the matched, missed and differing.

A CLI that ends in failure loses what it has not exported by then; what the proxy tells after the last event that got out is not
compared.

To reproduce: ` + "`make parity`" + `, which needs npm and downloads the CLIs. ` + "`PARITY_VERSIONS=0.58.0,0.169.0`" + ` runs others.

`

const expectedHead = `Everything else that differs is a bug. Times are how often it accounted for an attribute in the run above.

| Event | Attribute | What it is | Releases | Only if | Times | Reason |
|---|---|---|---|---|---|---|
`

func (m *Matrix) table(b *bytes.Buffer) {
	totals, all := map[Run]*total{}, new(total)
	for _, r := range m.results {
		line := Run{Version: r.Run.Version, Transport: r.Run.Transport}
		if totals[line] == nil {
			totals[line] = new(total)
		}
		totals[line].add(r)
		all.add(r)
	}
	b.WriteString("| Codex | Transport | Scenarios | Events | Matched | Missed | Differing | Invented | Events invented | Not derivable | Share |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
	lines := slices.SortedFunc(maps.Keys(totals), func(x, y Run) int {
		return cmp.Or(cmp.Compare(Minor(x.Version), Minor(y.Version)), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Transport, y.Transport))
	})
	for _, line := range lines {
		b.WriteString(totals[line].row(line.Version + " | " + line.Transport))
	}
	b.WriteString(all.row("all | "))
	b.WriteString("\n")
}

// unexpected lists what is left.
func (m *Matrix) unexpected(b *bytes.Buffer) {
	const most = 100
	var lines []string
	for _, r := range m.results {
		for line := range strings.Lines(Describe(r.Unexpected)) {
			lines = append(lines, fmt.Sprintf("- %s %s, %s: %s", r.Run.Version, r.Run.Transport, r.Run.Scenario, line))
		}
	}
	if len(lines) == 0 {
		return
	}
	slices.Sort(lines)
	b.WriteString("## What differs\n\n")
	for _, line := range lines[:min(len(lines), most)] {
		b.WriteString(line)
	}
	if len(lines) > most {
		fmt.Fprintf(b, "- and %d more\n", len(lines)-most)
	}
	b.WriteString("\n")
}

// untoldTTFT is why one event is not told that the traffic shows in part.
const untoldTTFT = "`codex.turn_ttft` counts from where the agent takes up the prompt: in 34 turns of 0.140 over a WebSocket three quarters of the\n" +
	"time that it tells, a median of 72 ms of 84 and at most 374, were over before the request with the prompt, and no traffic shows them. What\n" +
	"comes after, the proxy tells as `ttft_ms` of each completion, from the response's headers on."

// others lists the events that are not compared.
func (m *Matrix) others(b *bytes.Buffer) {
	seen := map[string]bool{}
	for _, r := range m.results {
		for name := range r.Others {
			seen[name] = true
		}
	}
	if len(seen) == 0 {
		return
	}
	b.WriteString("## What is not compared\n\nCodex tells these, too: ")
	b.WriteString("`" + strings.Join(slices.Sorted(maps.Keys(seen)), "`, `") + "`. ")
	b.WriteString("They tell of the agent's own\nmachine. " + untoldTTFT + "\n\n")
}

func kinds(list []Kind) string {
	names := make([]string, len(list))
	for i, kind := range list {
		names[i] = kind.String()
	}
	return strings.Join(names, ", ")
}

func releases(e *Expectation) string {
	switch {
	case e.From == 0 && e.Until == 0:
		return "all"
	case e.Until == 0:
		return fmt.Sprintf("since 0.%d", e.From)
	case e.From == 0:
		return fmt.Sprintf("before 0.%d", e.Until)
	default:
		return fmt.Sprintf("0.%d until before 0.%d", e.From, e.Until)
	}
}
