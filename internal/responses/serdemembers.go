package responses

import (
	"bytes"
	"slices"
)

// compact returns data the way serde_json writes a Value: without white space,
// each string and number in its one spelling, and of members with the same key
// the last one at the place of the first. What is not JSON is returned as it is.
func compact(data []byte, kept numbers) string {
	s := serde{data: data, numbers: kept, out: new(bytes.Buffer)}
	if !s.document() {
		return string(data)
	}
	return s.out.String()
}

// members writes the members of one object; nil writes nothing.
type members struct {
	out   *bytes.Buffer
	first int // where the first member begins in out
	start int // where the member under way begins
	name  string
	parts []part
	index map[string]int // of a part, by name as it was written
	twice bool           // a name came twice
}

// part is a member in the output.
type part struct{ start, end int }

func (s *serde) members() *members {
	if s.out == nil {
		return nil
	}
	s.write("{")
	return &members{out: s.out, first: s.out.Len(), index: map[string]int{}}
}

// key begins a member.
func (m *members) key() {
	if m == nil {
		return
	}
	m.end()
	if len(m.parts) > 0 {
		m.out.WriteByte(',')
	}
	m.start = m.out.Len()
}

// value goes from the key of a member to its value.
func (m *members) value() {
	if m == nil {
		return
	}
	m.name = string(m.out.Bytes()[m.start:])
	m.out.WriteByte(':')
}

// end ends the member under way.
func (m *members) end() {
	if m.name == "" {
		return
	}
	added := part{m.start, m.out.Len()}
	if at, ok := m.index[m.name]; ok {
		m.parts[at], m.twice = added, true
	} else {
		m.index[m.name] = len(m.parts)
		m.parts = append(m.parts, added)
	}
	m.name = ""
}

// close ends the object.
func (m *members) close() {
	if m == nil {
		return
	}
	m.end()
	if m.twice {
		written := slices.Clone(m.out.Bytes()[m.first:])
		m.out.Truncate(m.first)
		for i, p := range m.parts {
			if i > 0 {
				m.out.WriteByte(',')
			}
			m.out.Write(written[p.start-m.first : p.end-m.first])
		}
	}
	m.out.WriteByte('}')
}
