package redact

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxPrefixes bounds the beginnings that are told apart.
const maxPrefixes = 512

// prefixes returns lower-case strings of which every match of re begins with one,
// and whether those are all that re matches. With nothing to say it returns "".
func prefixes(re *syntax.Regexp) (set []string, exact bool) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}, true
	case syntax.OpLiteral:
		return []string{strings.ToLower(string(re.Rune))}, true
	case syntax.OpCharClass:
		return smallClass(re)
	case syntax.OpCapture:
		return prefixes(re.Sub[0])
	case syntax.OpConcat:
		return concatenated(re.Sub)
	case syntax.OpAlternate:
		exact = true
		for _, sub := range re.Sub {
			more, whole := prefixes(sub)
			set, exact = append(set, more...), exact && whole
		}
	case syntax.OpQuest:
		set, exact = prefixes(re.Sub[0])
		set = append(set, "")
	case syntax.OpPlus:
		set, _ = prefixes(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min == 0 {
			return []string{""}, false
		}
		set, _ = prefixes(re.Sub[0])
	default:
		return []string{""}, false
	}
	if len(set) > maxPrefixes {
		return []string{""}, false
	}
	slices.Sort(set)
	return slices.Compact(set), exact
}

func concatenated(subs []*syntax.Regexp) (set []string, exact bool) {
	set = []string{""}
	for _, sub := range subs {
		more, whole := prefixes(sub)
		if len(set)*len(more) > maxPrefixes {
			return set, false
		}
		var longer []string
		for _, head := range set {
			for _, tail := range more {
				longer = append(longer, head+tail)
			}
		}
		slices.Sort(longer)
		set = slices.Compact(longer)
		if !whole {
			return set, false
		}
	}
	return set, true
}

func smallClass(re *syntax.Regexp) (set []string, exact bool) {
	for i := 0; i < len(re.Rune); i += 2 {
		if isFold(re.Rune[i]) {
			continue
		}
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			if len(set) == 8 {
				return []string{""}, false
			}
			set = append(set, strings.ToLower(string(r)))
		}
	}
	slices.Sort(set)
	return slices.Compact(set), true
}

// isFold reports whether r is one of the two characters outside ASCII that
// case-insensitive classes have for k and s.
func isFold(r rune) bool { return r == '\u017f' || r == '\u212a' }

// extent says how long matches are.
type extent struct {
	bytes     int  // most bytes, without what has no bound
	unbounded bool // something has no bound
	wide      bool // what has no bound takes any character, not only those of a token
}

func (e extent) plus(f extent) extent {
	return extent{e.bytes + f.bytes, e.unbounded || f.unbounded, e.wide || f.wide}
}

// extentOf returns how long the matches of re are.
func extentOf(re *syntax.Regexp) extent {
	switch re.Op {
	case syntax.OpLiteral:
		return extent{bytes: len(string(re.Rune))}
	case syntax.OpCharClass:
		return extent{bytes: classBytes(re)}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return extent{bytes: utf8.UTFMax}
	case syntax.OpConcat:
		var sum extent
		for _, sub := range re.Sub {
			sum = sum.plus(extentOf(sub))
		}
		return sum
	case syntax.OpAlternate:
		var most extent
		for _, sub := range re.Sub {
			e := extentOf(sub)
			most = extent{max(most.bytes, e.bytes), most.unbounded || e.unbounded, most.wide || e.wide}
		}
		return most
	case syntax.OpCapture, syntax.OpQuest:
		return extentOf(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		e := extentOf(re.Sub[0])
		return extent{e.bytes, true, e.wide || e.bytes > 1}
	case syntax.OpRepeat:
		e := extentOf(re.Sub[0])
		if re.Max < 0 {
			return extent{e.bytes * re.Min, true, e.wide || e.bytes > 1}
		}
		return extent{e.bytes * re.Max, e.unbounded, e.wide}
	default:
		return extent{}
	}
}

func classBytes(re *syntax.Regexp) int {
	n := 1
	for i := 0; i < len(re.Rune); i += 2 {
		if last := re.Rune[i+1]; last >= utf8.RuneSelf && !isFold(last) {
			n = max(n, utf8.RuneLen(last))
		}
	}
	return n
}
