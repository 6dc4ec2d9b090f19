package redact

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Scanner replaces credentials in texts. It is safe for concurrent use.
type Scanner struct {
	rules  func() (*ruleset, error)
	counts [classCount]atomic.Int64
}

// NewScanner returns a Scanner with the rules of this package. It compiles them for
// the first text: that takes longer than everything else a proxy does before it
// serves.
func NewScanner() *Scanner { return &Scanner{rules: sync.OnceValues(newRuleset)} }

// span is a part of a text to be replaced.
type span struct {
	start, end int
	rule       int // the lower, the more it says
}

// Text returns text with every credential that a rule knows replaced by
// [REDACTED:rule], and whether there was one. Valid JSON stays valid.
//
// A text without keywords of rules is read once. So that no text costs more than
// about four times that, one with more to look at than any real one is replaced as
// a whole.
func (s *Scanner) Text(text string) (clean string, found bool) {
	clean, classes := s.text(text)
	s.count(classes)
	return clean, classes != nil
}

// text is Text that leaves the counting to its caller: what it replaced, by class.
func (s *Scanner) text(text string) (clean string, classes []int) {
	set, err := s.rules()
	if err != nil {
		return whole(text), []int{classOther} // The rules of this package are wrong.
	}
	scan := scan{set: set, text: text, budget: workBase + workFactor*len(text)}
	set.finder.find(text, scan.keyword)
	if scan.budget < 0 {
		return whole(text), []int{classOther}
	}
	if scan.spans == nil {
		return text, nil
	}
	clean, classes = set.replace(text, scan.spans)
	if json.Valid([]byte(text)) && !json.Valid([]byte(clean)) {
		clean = whole(text)
	}
	return clean, classes
}

// count counts what was replaced.
func (s *Scanner) count(classes []int) {
	for _, class := range classes {
		s.counts[class].Add(1)
	}
}

// Bounds of the work for one text, in bytes given to regular expressions.
const (
	workBase   = 1 << 20
	workFactor = 4
	// aroundFactor is how much more one costs that may match anywhere.
	aroundFactor = 4
)

// marker returns what stands for a secret of a rule.
func marker(rule string) string { return "[REDACTED:" + rule + "]" }

// whole returns what stands for a text that cannot be told in parts.
func whole(text string) string {
	if json.Valid([]byte(text)) {
		return `"` + marker("text") + `"`
	}
	return marker("text")
}

// replace replaces spans, those that overlap by one marker: that of the rule which
// says most.
func (s *ruleset) replace(text string, spans []span) (clean string, classes []int) {
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	merged := spans[:1]
	for _, next := range spans[1:] {
		last := &merged[len(merged)-1]
		if next.start >= last.end {
			merged = append(merged, next)
			continue
		}
		last.end, last.rule = max(last.end, next.end), min(last.rule, next.rule)
	}
	var b strings.Builder
	b.Grow(len(text))
	at := 0
	for _, sp := range merged {
		rule := s.rules[sp.rule]
		classes = append(classes, rule.class)
		b.WriteString(text[at:sp.start])
		b.WriteString(marker(rule.id))
		at = sp.end
	}
	b.WriteString(text[at:])
	return b.String(), classes
}

// scan is the scan of one text.
type scan struct {
	set    *ruleset
	text   string
	spans  []span
	done   []int // up to where a rule has found all, by rule
	budget int
}

// keyword tries the rules of a keyword that ends at end. It returns false when the
// work is to stop.
func (s *scan) keyword(keyword, end int) bool {
	for _, u := range s.set.uses[keyword] {
		r := s.set.rules[u.rule]
		if s.done == nil {
			s.done = make([]int, len(s.set.rules))
		}
		if u.offset < 0 {
			s.around(r, u.rule, end)
		} else {
			s.at(r, u.rule, end-len(s.set.words[keyword])-u.offset)
		}
	}
	return s.budget >= 0
}

// at tries a rule whose matches begin with its keyword.
func (s *scan) at(r *rule, index, start int) {
	if start < s.done[index] || !r.first[s.text[start]] || r.boundary && !beginsAt(s.text, start) {
		return
	}
	if r.labeled && !s.labeled(r, start) {
		return
	}
	from := start
	if start > 0 && !isEscape(s.text, start) {
		from--
	}
	for _, window := range r.windows() {
		end := min(len(s.text), start+window)
		f, ok := s.match(r, from, end)
		if !ok {
			s.budget -= r.failed(s.text[start:])
			if r.extent.wide {
				continue
			}
			break
		}
		s.budget -= end - from
		if s.budget < 0 {
			return
		}
		if ok && (f.matchEnd < end || end == len(s.text)) {
			s.note(r, index, f)
			return
		}
		if ok && window == r.windows()[len(r.windows())-1] {
			s.note(r, index, f)
			return
		}
	}
	s.partial(r, index, start)
}

// labeled reports whether a label at start goes on as one.
func (s *scan) labeled(r *rule, start int) bool {
	for _, prefix := range r.prefixes {
		if len(s.text)-start >= len(prefix) && strings.EqualFold(s.text[start:start+len(prefix)], prefix) &&
			labels(s.text, start+len(prefix)) {
			return true
		}
	}
	return false
}

// around tries a rule whose matches are somewhere around its keyword.
func (s *scan) around(r *rule, index, end int) {
	reach := r.extent.bytes
	if !r.within {
		reach += nearBytes
	}
	start, stop := max(s.done[index], end-reach), min(len(s.text), end+reach)
	for start < stop && s.budget >= 0 {
		s.budget -= aroundFactor * (stop - start)
		f, ok := s.match(r, start, stop)
		if !ok {
			break
		}
		s.note(r, index, f)
		start = max(start+1, s.done[index])
	}
}

// match tries a rule on a part of the text.
func (s *scan) match(r *rule, from, to int) (find, bool) {
	groups := r.compiled().FindStringSubmatchIndex(s.text[from:to])
	if groups == nil {
		return find{}, false
	}
	f := find{text: s.text, matchStart: from + groups[2], matchEnd: from + groups[3]}
	f.secretStart, f.secretEnd = f.matchStart, f.matchEnd
	for group := 2; group < len(groups)/2; group++ {
		if groups[2*group] < groups[2*group+1] && (r.group == 0 || r.group == group-1) {
			f.secretStart, f.secretEnd = from+groups[2*group], from+groups[2*group+1]
			break
		}
	}
	return f, true
}

// note notes what a rule matched, unless it is known to be no secret.
func (s *scan) note(r *rule, index int, f find) {
	s.done[index] = max(f.secretEnd, s.done[index])
	if r.entropy > 0 && entropy(f.secret()) <= r.entropy || s.set.allow.allows(f) {
		return
	}
	for _, list := range r.allow {
		if list.allows(f) {
			return
		}
	}
	// No part of the word it ends in is to stay.
	s.done[index] = s.tail(f.secretEnd)
	s.spans = append(s.spans, span{f.secretStart, s.done[index], index})
}

// tail returns the end of the word that a secret ends in.
func (s *scan) tail(end int) int {
	if end == 0 || !isWord(s.text[end-1]) {
		return end
	}
	for end < len(s.text) && isWord(s.text[end]) {
		end++
	}
	return end
}

// partial notes a credential that is known by its beginning, where the text was cut
// in its midst.
func (s *scan) partial(r *rule, index, start int) {
	prefix := r.prefixAt(s.text, start)
	if prefix == 0 {
		return
	}
	end := start + prefix
	for end < len(s.text) && end-start < partialBytes && isToken(s.text[end]) {
		end++
	}
	s.budget -= end - start
	if end == len(s.text) && s.text[end-1] == '.' {
		end-- // of the sentence
	}
	if end-start < prefix+minPartial || !isCut(s.text, end) {
		return
	}
	s.done[index] = end
	s.spans = append(s.spans, span{start, end, index})
}

// isCut reports whether a text may have been cut at i: at its end, and before the
// marks that this program and Codex leave.
func isCut(text string, i int) bool {
	rest := text[i:]
	return rest == "" || rest == "." || strings.HasPrefix(rest, "…") || strings.HasPrefix(strings.TrimLeft(rest[:min(len(rest), 4)], "\n"), "[")
}
