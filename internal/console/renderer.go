package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// maxStreams bounds the streams whose events are counted at a time.
const maxStreams = 128

// Renderer prints events for people, one line each. The events of a response
// that is under way are counted and told in one line, when something else
// happens in their conversation or Flush is called: call Flush when the feed
// has been quiet for a moment, and at the end.
//
// Everything that comes from the traffic is escaped. A Renderer is safe for
// concurrent use.
type Renderer struct {
	W        io.Writer
	Color    bool           // ANSI colors
	Width    int            // columns; lines are cut there; 0 means no limit but that of each value
	JSON     bool           // print the events' JSON instead, one object a line
	Location *time.Location // of the times shown; nil means local

	mu      sync.Mutex
	streams []*streamLine // in order of appearance
}

// streamLine is a response under way.
type streamLine struct {
	conversation string
	response     string
	start        time.Time // when its headers came; zero when that is not known
	last         time.Time
	deltas       int // not yet told
	others       int // not yet told
}

// Event prints an event. The error is that of writing.
func (r *Renderer) Event(e Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.JSON {
		return r.printJSON(e.Data)
	}
	var f fields
	if err := json.Unmarshal(e.Data, &f); err != nil && (!mistyped(err) || f.Name == "") {
		return r.print(r.unreadable(e))
	}
	at, err := time.Parse(events.TimestampFormat, f.Time)
	if err != nil {
		at = time.Time{}
	}
	if f.underWay() {
		return r.count(&f, at)
	}
	if err := r.flush(f.Conversation); err != nil {
		return err
	}
	var took time.Duration
	if f.Name == events.NameSSEEvent {
		took = r.finish(&f, at)
	}
	return r.print(append(r.prefix(at, f.Conversation), f.spans(took, r.room())...))
}

// Missed prints that events are missing.
func (r *Renderer) Missed(m Missed) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.JSON {
		object := m.appendJSON(nil)
		return r.printJSON(append([]byte(`{"event.name":"`+NameMissed+`",`), object[1:]...))
	}
	if err := r.flush(""); err != nil {
		return err
	}
	return r.print([]span{{styleFailure, "! " + escape(m.String(), maxValueColumns)}})
}

// Flush prints the counts of responses under way.
func (r *Renderer) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flush("")
}

// flush prints what is counted for a conversation, or for all.
func (r *Renderer) flush(conversation string) error {
	for _, s := range r.streams {
		if conversation != "" && s.conversation != conversation {
			continue
		}
		if s.deltas+s.others == 0 {
			continue
		}
		line := append(r.prefix(s.last, s.conversation), span{styleDim, "· " + s.String()})
		s.deltas, s.others = 0, 0
		if err := r.print(line); err != nil {
			return err
		}
	}
	return nil
}

// String returns what is counted.
func (s *streamLine) String() string {
	var parts []string
	if s.deltas > 0 {
		parts = append(parts, counted(s.deltas, "delta"))
	}
	if s.others > 0 {
		parts = append(parts, counted(s.others, "event"))
	}
	return strings.Join(parts, ", ")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// count takes in an event of a response under way.
func (r *Renderer) count(f *fields, at time.Time) error {
	s, _ := r.stream(f)
	if s == nil {
		if len(r.streams) == maxStreams {
			// Ends were missed; what is left begins anew.
			if err := r.flush(""); err != nil {
				return err
			}
			r.streams = nil
		}
		s = &streamLine{conversation: f.Conversation, response: f.Response}
		if f.DurationMS != nil && !at.IsZero() {
			s.start = at.Add(-time.Duration(*f.DurationMS) * time.Millisecond)
		}
		r.streams = append(r.streams, s)
	}
	s.last = at
	if strings.HasSuffix(f.Kind, ".delta") {
		s.deltas++
	} else {
		s.others++
	}
	return nil
}

// finish forgets a response that has ended and returns how long it took; 0 when
// its beginning was not seen.
func (r *Renderer) finish(f *fields, at time.Time) time.Duration {
	s, i := r.stream(f)
	if s == nil {
		return 0
	}
	r.streams = append(r.streams[:i], r.streams[i+1:]...)
	if s.start.IsZero() || at.IsZero() {
		return 0
	}
	return max(0, at.Sub(s.start))
}

func (r *Renderer) stream(f *fields) (*streamLine, int) {
	for i, s := range r.streams {
		if s.conversation == f.Conversation && s.response == f.Response {
			return s, i
		}
	}
	return nil, 0
}

// mistyped reports whether a member has another type than the catalogue's, as a
// foreign record's may have. The other members are read all the same.
func mistyped(err error) bool {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return ok && wrong.Field != ""
}

// unreadable returns the line of an event that is not an object of the feed.
func (r *Renderer) unreadable(e Event) []span {
	return []span{
		{stylePlain, "? " + padded(escape(e.Name, maxNameColumns), nameColumns)},
		{styleDim, escape(string(e.Data), r.room())},
	}
}

func (r *Renderer) printJSON(object []byte) error {
	line := append(bytes.ReplaceAll(object, []byte("\n"), []byte(" ")), '\n')
	return r.write(line)
}

func (r *Renderer) print(line []span) error {
	return r.write(append(appendSpans(nil, line, r.Width, r.Color), '\n'))
}

func (r *Renderer) write(line []byte) error {
	if _, err := r.W.Write(line); err != nil {
		return fmt.Errorf("print event: %w", err)
	}
	return nil
}
