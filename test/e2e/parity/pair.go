package parity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// pair is what both told of one fact; nil is nothing.
type pair struct {
	codex, proxy *receiver.Record
	again        bool // Codex told of the same before
}

// pairs finds the records that tell of the same facts: those of the same event, and of the same call, in their order.
func pairs(codex, proxy []receiver.Record) []pair {
	shared := conversations(codex)
	for id := range shared {
		shared[id] = conversations(proxy)[id]
	}
	type group struct{ codex, proxy []*receiver.Record }
	groups := map[string]*group{}
	var order []string
	find := func(r *receiver.Record) *group {
		key := identity(r, shared)
		if groups[key] == nil {
			groups[key] = new(group)
			order = append(order, key)
		}
		return groups[key]
	}
	for i := range codex {
		g := find(&codex[i])
		g.codex = append(g.codex, &codex[i])
	}
	for i := range proxy {
		g := find(&proxy[i])
		g.proxy = append(g.proxy, &proxy[i])
	}
	slices.Sort(order)
	var list []pair
	for _, key := range order {
		found, told := align(groups[key].codex, groups[key].proxy), false
		for i := range found {
			found[i].again = told
			told = told || found[i].codex != nil
		}
		list = append(list, found...)
	}
	return list
}

func conversations(records []receiver.Record) map[string]bool {
	ids := map[string]bool{}
	for i := range records {
		id, _ := records[i].Attrs["conversation.id"].(string)
		ids[id] = true
	}
	return ids
}

// identity is what two records of the same fact have in common. Conversations are kept apart if both know them.
func identity(r *receiver.Record, shared map[string]bool) string {
	id, _ := r.Attrs["conversation.id"].(string)
	if !shared[id] {
		id = ""
	}
	parts := []string{r.Name(), id}
	for _, key := range []string{"call_id", "event.kind"} {
		parts = append(parts, fmt.Sprint(r.Attrs[key]))
	}
	if strings.HasPrefix(r.Name(), "codex.sse") {
		// A completion is told twice, with and without its tokens; the order of the kinds is that of the stream.
		parts = append(parts, fmt.Sprint(r.Attrs["input_token_count"] != nil, r.Attrs["duration_ms"] != nil))
	}
	return strings.Join(parts, "\x00")
}

// align pairs two lists in their order such that as little as possible differs.
func align(codex, proxy []*receiver.Record) []pair {
	var list []pair
	if len(codex) == len(proxy) || len(codex) == 0 || len(proxy) == 0 {
		for i := range max(len(codex), len(proxy)) {
			list = append(list, pair{codex: at(codex, i), proxy: at(proxy, i)})
		}
		return list
	}
	return aligned(codex, proxy)
}

func at(records []*receiver.Record, i int) *receiver.Record {
	if i < len(records) {
		return records[i]
	}
	return nil
}

// aligned is the alignment of Needleman and Wunsch. What comes first is paired first.
func aligned(codex, proxy []*receiver.Record) []pair {
	const lone = 4 // differences that a record of its own is worth
	costs := make([][]int, len(codex)+1)
	for i := range costs {
		costs[i] = make([]int, len(proxy)+1)
		for j := range costs[i] {
			switch {
			case i == 0 || j == 0:
				costs[i][j] = (i + j) * lone
			default:
				costs[i][j] = min(
					costs[i-1][j]+lone, costs[i][j-1]+lone, costs[i-1][j-1]+distance(codex[i-1], proxy[j-1]))
			}
		}
	}
	var list []pair
	for i, j := len(codex), len(proxy); i > 0 || j > 0; {
		switch {
		case i > 0 && costs[i][j] == costs[i-1][j]+lone:
			i--
			list = append(list, pair{codex: codex[i]})
		case j > 0 && costs[i][j] == costs[i][j-1]+lone:
			j--
			list = append(list, pair{proxy: proxy[j]})
		default:
			i, j = i-1, j-1
			list = append(list, pair{codex: codex[i], proxy: proxy[j]})
		}
	}
	slices.Reverse(list)
	return list
}

// distance counts the attributes of Codex that the proxy tells otherwise, at most the worth of two lone records.
func distance(codex, proxy *receiver.Record) int {
	n := 0
	for key, value := range codex.Attrs {
		if ours, ok := proxy.Attrs[key]; ok && !alike(codex.Name(), key, value, ours) {
			n++
		}
	}
	return min(n, 8)
}

// withoutLost leaves out what the proxy told of later than the last fact that Codex told of.
func withoutLost(codex, proxy []receiver.Record) (kept []receiver.Record, lost int) {
	if len(codex) == 0 {
		return nil, len(proxy)
	}
	last := slices.MaxFunc(codex, func(a, b receiver.Record) int { return cmp.Compare(timestamp(&a), timestamp(&b)) })
	unmatched := map[*receiver.Record]bool{}
	for _, p := range pairs(codex, proxy) {
		if p.codex == nil {
			unmatched[p.proxy] = true
		}
	}
	for i := range proxy {
		if unmatched[&proxy[i]] && timestamp(&proxy[i]) >= timestamp(&last) {
			lost++
			continue
		}
		kept = append(kept, proxy[i])
	}
	return kept, lost
}

// timestamp is the time of a record in its own words, which sort.
func timestamp(r *receiver.Record) string {
	at, _ := r.Attrs["event.timestamp"].(string)
	return at
}
