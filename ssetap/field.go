package ssetap

import "bytes"

// field is the kind of a line, by the name before its first colon.
type field uint8

const (
	fieldUnknown field = iota // the name is not complete yet
	fieldIgnored              // a comment, or a name the standard does not know
	fieldData
	fieldEvent
	fieldID
	fieldRetry
)

// maxNameBytes is the length of the longest name that means something.
const maxNameBytes = len("event")

// fieldOf returns the kind of a complete name. Names are compared as they are, by case and without trimming.
func fieldOf(name []byte) field {
	switch string(name) {
	case "data":
		return fieldData
	case "event":
		return fieldEvent
	case "id":
		return fieldID
	case "retry":
		return fieldRetry
	default:
		return fieldIgnored
	}
}

// splitLine returns the kind and the value of a complete line that is not blank. It looks for the colon only as far as
// a known name reaches, so a long line costs nothing here.
func splitLine(line []byte) (kind field, value []byte) {
	colon := bytes.IndexByte(line[:min(len(line), maxNameBytes+1)], ':')
	if colon < 0 {
		if len(line) > maxNameBytes {
			return fieldIgnored, nil
		}
		return fieldOf(line), line[len(line):]
	}
	value = line[colon+1:]
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	return fieldOf(line[:colon]), value
}

// parseRetry reads the value of a retry field: ASCII digits and nothing else. A number too large for an int64 is the
// largest there is.
func parseRetry(value []byte) (ms int64, ok bool) {
	const largest = 1<<63 - 1
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		digit := int64(c - '0')
		if ms > (largest-digit)/10 {
			ms = largest
			continue
		}
		ms = ms*10 + digit
	}
	return ms, len(value) > 0
}
