package outbox

import "maps"

// Tally counts records by the name of their event.
type Tally map[string]int

// Total is the number of records of any name.
func (t Tally) Total() int {
	total := 0
	for _, n := range t {
		total += n
	}
	return total
}

// Plus returns the sum of two tallies.
func (t Tally) Plus(other Tally) Tally {
	sum := make(Tally, len(t)+len(other))
	maps.Copy(sum, t)
	for name, n := range other {
		sum[name] += n
	}
	return sum
}

// Minus returns what is left of a tally that holds the other.
func (t Tally) Minus(other Tally) Tally {
	rest := make(Tally, len(t))
	for name, n := range t {
		if left := n - other[name]; left != 0 {
			rest[name] = left
		}
	}
	return rest
}

// Share returns so many records of a tally as somebody claims, who may claim
// anything: none at least, and all at most. As nobody knows which ones they are,
// each name gives up its share of the whole, and the names with the largest
// remainders one more.
func (t Tally) Share(claimed int64) Tally {
	total := t.Total()
	n := int(min(max(0, claimed), int64(total)))
	part := make(Tally, len(t))
	if n == 0 {
		return part
	}
	left := n
	for name, count := range t {
		part[name] = count * n / total
		left -= part[name]
	}
	for ; left > 0; left-- {
		best := ""
		for name, count := range t {
			if part[name] < count && (best == "" || t.owes(part, name, best, n, total)) {
				best = name
			}
		}
		part[best]++
	}
	return part
}

// owes reports whether name is further below its share than other is; among
// equals the first in the alphabet is.
func (t Tally) owes(part Tally, name, other string, n, total int) bool {
	a, b := t[name]*n-part[name]*total, t[other]*n-part[other]*total
	return a > b || a == b && name < other
}
