package parity

import (
	"fmt"
	"strings"
)

// Describe tells the differences of a run for people, one a line. An event that only one of both told of is one line.
func Describe(differences []Difference) string {
	var b strings.Builder
	for i := range differences {
		d := &differences[i]
		switch {
		case !d.Lone:
			fmt.Fprintf(&b, "%s %s: %s %s: Codex %s, proxy %s\n", d.Event, d.Fact, d.Kind, d.Attribute, plain(d.Codex), plain(d.Proxy))
		case d.Attribute == "event.timestamp":
			fmt.Fprintf(&b, "%s %s: %s event", d.Event, d.Fact, d.Kind)
			for j := range differences {
				if other := &differences[j]; other.Lone && other.Event == d.Event && other.Fact == d.Fact && telling[other.Attribute] {
					fmt.Fprintf(&b, " %s=%s%s", other.Attribute, plain(other.Codex), plain(other.Proxy))
				}
			}
			b.WriteString("\n")
		default: // told with the event's time
		}
	}
	return b.String()
}

// plain writes a value on one line of bounded length.
func plain(value any) string {
	if value == nil {
		return ""
	}
	const most = 300
	text := fmt.Sprintf("%#v", value)
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// telling are the attributes that tell what an event is about.
var telling = map[string]bool{
	"decision": true, "source": true, "success": true, "output": true, "prompt": true, "error.message": true, "attempt": true,
	"http.response.status_code": true, "duration_ms": true, "input_token_count": true,
}
