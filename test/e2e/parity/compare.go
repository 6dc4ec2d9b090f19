package parity

import (
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// Comparer compares runs.
type Comparer struct {
	// Additions are the attributes that the proxy adds to those of Codex.
	Additions map[string]bool
	// Expected are the differences that are not bugs.
	Expected []*Expectation
}

// Compare compares what Codex and the proxy told of a run. failed says that the CLI ended in failure, and so lost what it had
// not exported by then. unasked are the attributes that its requests would show, and did not.
func (c *Comparer) Compare(run Run, codex, proxy []receiver.Record, failed bool, unasked map[string]bool) *Result {
	result := &Result{Run: run, Occurred: map[*Expectation]int{}}
	codex, result.Others = Compared(codex)
	proxy, _ = Compared(proxy)
	result.Events = len(codex)
	if failed {
		proxy, result.Lost = withoutLost(codex, proxy)
	}
	for _, p := range pairs(codex, proxy) {
		c.compare(result, p, unasked)
	}
	return result
}

// compare compares two records of the same fact.
func (c *Comparer) compare(result *Result, p pair, unasked map[string]bool) {
	told, ours := attributes(p.codex), attributes(p.proxy)
	name, _ := told["event.name"].(string)
	if told == nil {
		name, _ = ours["event.name"].(string)
	}
	fact := factOf(told)
	if told == nil {
		fact = factOf(ours)
	}
	check := func(kind Kind, key string) {
		d := Difference{
			Run: result.Run, Kind: kind, Event: name, Fact: fact, Attribute: key, Codex: told[key], Proxy: ours[key],
			Lone: told == nil || ours == nil, Again: p.again, Unasked: unasked[key],
		}
		if e := c.expectation(&d, told, ours); e != nil {
			result.Occurred[e]++
			if kind != Invented {
				result.Underivable++
			}
			return
		}
		result.Unexpected = append(result.Unexpected, d)
	}
	for _, key := range keys(told) {
		switch value, ok := ours[key]; {
		case !ok:
			check(Missed, key)
		case alike(name, key, told[key], value):
			result.Matched++
		default:
			check(Differing, key)
		}
	}
	for _, key := range keys(ours) {
		if _, ok := told[key]; !ok && !c.Additions[key] {
			check(Invented, key)
		}
	}
}

// expectation returns the entry that accounts for a difference, nil for none.
func (c *Comparer) expectation(d *Difference, codex, proxy map[string]any) *Expectation {
	for _, e := range c.Expected {
		if e.accounts(d, codex, proxy) {
			return e
		}
	}
	return nil
}

func attributes(r *receiver.Record) map[string]any {
	if r == nil {
		return nil
	}
	return r.Attrs
}

// factOf names what a record tells of, for people.
func factOf(attrs map[string]any) string {
	for _, key := range []string{"call_id", "event.kind"} {
		if text, ok := attrs[key].(string); ok {
			return text
		}
	}
	return ""
}
