package report

import "strings"

// maxSpellingBytes bounds the keys worth a suggestion.
const maxSpellingBytes = 64

// spelling is a known key and its form without case and separators, in which
// spellings of a key differ most.
type spelling struct{ name, folded string }

// spellings finds the known key that a misspelled one was meant to be.
type spellings []spelling

func newSpellings(names ...string) spellings {
	list := make(spellings, 0, len(names))
	for _, name := range names {
		list = append(list, spelling{name: name, folded: fold(name)})
	}
	return list
}

// nearest returns the known key nearest to a misspelled one, "" when none is
// near.
func (s spellings) nearest(wrong string) string {
	if len(wrong) > maxSpellingBytes {
		return ""
	}
	folded := fold(wrong)
	best, bound := "", max(1, len(folded)/4)+1
	for _, known := range s {
		apart := len(known.folded) - len(folded)
		if apart >= bound || -apart >= bound {
			continue
		}
		if d := distance(folded, known.folded); d < bound {
			best, bound = known.name, d
		}
	}
	return best
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("._- ", r):
			return -1
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return r
		}
	}, s)
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
