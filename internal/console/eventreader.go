package console

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// errEventSize says that an event was larger than allowed and is dropped. The
// reader goes on.
var errEventSize = errors.New("event too large")

// eventReader reads server-sent events: fields and framing of the WHATWG
// specification, with lines ended by LF or CRLF, as the feed's are. An event
// that the stream breaks off in is none, so its id does not count either.
type eventReader struct {
	r      *bufio.Reader
	max    int
	onLine func() // something came
	lastID string

	line []byte
	data []byte
}

func newEventReader(r io.Reader, maxEventBytes int) *eventReader {
	return &eventReader{r: bufio.NewReaderSize(r, 32<<10), max: maxEventBytes, onLine: func() {}}
}

// next returns the next event that has data. Its Data is the caller's.
func (e *eventReader) next() (Event, error) {
	event := Event{}
	id := e.lastID
	e.data = e.data[:0]
	hasData, large := false, false
	for {
		line, fits, err := e.readLine()
		if err != nil {
			return Event{}, err
		}
		e.onLine()
		if !fits {
			large = true
			continue
		}
		if len(line) == 0 {
			e.lastID = id
			switch {
			case large:
				return Event{}, errEventSize
			case hasData:
				event.ID = id
				event.Data = bytes.Clone(e.data[:len(e.data)-1])
				return event, nil
			}
			event = Event{}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			event.Name = string(value)
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				id = string(value)
			}
		case "data":
			hasData = true
			if large = large || len(e.data)+len(value) >= e.max; !large {
				e.data = append(append(e.data, value...), '\n')
			}
		}
	}
}

// readLine returns a line without its end; fits is false for one that is longer
// than an event may be, of which the content is dropped.
func (e *eventReader) readLine() (line []byte, fits bool, err error) {
	e.line = e.line[:0]
	fits = true
	for {
		part, err := e.r.ReadSlice('\n')
		if fits = fits && len(e.line)+len(part) <= e.max+len("data: \r\n"); fits {
			e.line = append(e.line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			e.onLine()
			continue
		}
		if err != nil {
			return nil, false, err
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(e.line, []byte("\n")), []byte("\r")), fits, nil
	}
}
