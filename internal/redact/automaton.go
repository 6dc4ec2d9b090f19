package redact

import "slices"

// automaton finds every occurrence of every keyword in one pass over a text,
// whatever the case of its ASCII letters: Aho and Corasick's, as a table.
type automaton struct {
	classes [256]uint8 // column of a byte; 0 is that of all bytes in no keyword
	width   int
	next    []uint16 // row of a state times width plus column → state
	outputs [][]uint16
}

// maxStates bounds the table. The rules need about 2,000.
const maxStates = 1 << 15

// newAutomaton returns an automaton of lower-case keywords, false when they are too
// many for its table.
func newAutomaton(keywords []string) (*automaton, bool) {
	a := &automaton{}
	a.columns(keywords)
	a.addState()
	for id, keyword := range keywords {
		state := uint16(0)
		for i := range len(keyword) {
			at := int(state)*a.width + int(a.classes[keyword[i]])
			if a.next[at] == 0 {
				if len(a.outputs) == maxStates {
					return nil, false
				}
				a.next[at] = a.addState()
			}
			state = a.next[at]
		}
		a.outputs[state] = append(a.outputs[state], uint16(id))
	}
	a.link()
	return a, true
}

// columns gives each byte that occurs in a keyword a column of its own.
func (a *automaton) columns(keywords []string) {
	a.width = 1
	for _, keyword := range keywords {
		for i := range len(keyword) {
			if b := keyword[i]; a.classes[b] == 0 {
				a.classes[b] = uint8(a.width) //nolint:gosec // There are fewer than 256 lower-case bytes.
				a.width++
			}
		}
	}
	for b := byte('A'); b <= 'Z'; b++ {
		a.classes[b] = a.classes[b+'a'-'A']
	}
}

func (a *automaton) addState() uint16 {
	a.next = append(a.next, make([]uint16, a.width)...)
	a.outputs = append(a.outputs, nil)
	return uint16(len(a.outputs) - 1) //nolint:gosec // maxStates bounds it.
}

// link completes the trie: where a keyword does not go on, the longest end of what
// was read that begins a keyword does.
func (a *automaton) link() {
	failures := make([]uint16, len(a.outputs))
	queue := []uint16{0}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		for column := range a.width {
			at := int(state)*a.width + column
			child := a.next[at]
			fallback := a.next[int(failures[state])*a.width+column]
			if child == 0 {
				if state != 0 {
					a.next[at] = fallback
				}
				continue
			}
			if state != 0 {
				failures[child] = fallback
				a.outputs[child] = append(a.outputs[child], a.outputs[fallback]...)
			}
			queue = append(queue, child)
		}
	}
	for i := range a.outputs {
		a.outputs[i] = slices.Clip(a.outputs[i])
	}
}

// find calls yield with each keyword and the position behind it. It ends when yield
// returns false.
func (a *automaton) find(text string, yield func(keyword, end int) bool) {
	state := 0
	for i := range len(text) {
		state = int(a.next[state*a.width+int(a.classes[text[i]])])
		if outputs := a.outputs[state]; outputs != nil {
			for _, id := range outputs {
				if !yield(int(id), i+1) {
					return
				}
			}
		}
	}
}
