package report

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
)

// maxErrors bounds Answer.Errors, maxEcho the characters of a value that an
// error shows.
const (
	maxErrors = 100
	maxEcho   = 40
)

// Answer is the body of every answer of the events endpoint.
type Answer struct {
	Error         string    `json:"error,omitempty" doc:"Why the request was refused as a whole; absent from a 202."`
	Accepted      int       `json:"accepted" doc:"Items that were recorded."`
	Durable       bool      `json:"durable" doc:"The accepted items are on disk: neither a crash nor a collector that is away loses them. False where nothing is kept on disk."`
	Trouble       string    `json:"trouble,omitempty" doc:"Why the accepted items are in memory only although they should be on disk, such as disk_full or timeout."`
	Rejected      int       `json:"rejected" doc:"Items that were not."`
	Errors        []Problem `json:"errors" doc:"What was wrong with the rejected items, at most 100 entries."`
	ErrorsOmitted int       `json:"errors_omitted,omitempty" doc:"Entries beyond those in errors."`
}

// Problem is one thing wrong with one item. It names what was expected and
// never shows content.
type Problem struct {
	Item    int    `json:"item" doc:"Position of the item in the request, from 0."`
	Line    int    `json:"line,omitempty" doc:"Line of the item in an NDJSON body, from 1."`
	Field   string `json:"field,omitempty" doc:"Key the message is about; absent when it is about the whole item."`
	Message string `json:"message" doc:"What was expected."`

	reason reason
}

// reject counts one item and keeps its problems while there is room.
func (a *Answer) reject(item, line int, problems []Problem) {
	a.Rejected++
	for _, problem := range problems {
		if len(a.Errors) == maxErrors {
			a.ErrorsOmitted++
			continue
		}
		problem.Item, problem.Line = item, line
		a.Errors = append(a.Errors, problem)
	}
}

func (a *Answer) write(w http.ResponseWriter, status int) {
	if a.Errors == nil {
		a.Errors = []Problem{}
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// An agent that left does not need its answer.
	_ = json.NewEncoder(w).Encode(a)
}

// refusal is an answer to a request as a whole.
type refusal struct {
	status  int
	reason  refusedReason
	message string
}

func refuse(status int, reason refusedReason, message string) error {
	return &refusal{status: status, reason: reason, message: message}
}

// Error implements error.
func (r *refusal) Error() string { return r.message }

// echo quotes the start of a value that is known to be no content. What is no word
// may be a credential in the wrong place, and is not quoted.
func echo(s string) string {
	if strings.ContainsAny(s, "0123456789-/+=:@") {
		return "what is no word"
	}
	var b strings.Builder
	n := 0
	for _, char := range s {
		if n == maxEcho {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(char) {
			char = unicode.ReplacementChar
		}
		b.WriteRune(char)
		n++
	}
	return `"` + b.String() + `"`
}
