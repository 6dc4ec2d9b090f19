// Package responses knows what the JSON of the Responses API means: requests,
// the events of a response stream, and their usage. It interprets bytes that
// others carry and knows no HTTP.
package responses

import (
	"hash/maphash"

	"github.com/tidwall/gjson"
)

// Inspector reads a request body as its bytes pass, in memory that does not
// grow with it. It is not safe for concurrent use.
type Inspector struct {
	scan  scanner
	sum   maphash.Hash
	bytes int64
}

// maxValueBytes bounds one value kept of a request.
const maxValueBytes = 64 << 10

// seed makes sums comparable within the process, and only there.
var seed = maphash.MakeSeed()

// NewInspector returns an Inspector for one request.
func NewInspector() *Inspector {
	i := &Inspector{scan: scanner{want: wanted, limit: maxValueBytes}}
	i.sum.SetSeed(seed)
	return i
}

func wanted(key string) bool {
	switch key {
	case "model", "stream", "background", "prompt_cache_key", "previous_response_id",
		"client_metadata", "reasoning", "service_tier":
		return true
	default:
		return false
	}
}

// Write takes the next bytes of the body. It never fails.
func (i *Inspector) Write(p []byte) {
	i.bytes += int64(len(p))
	_, _ = i.sum.Write(p)
	i.scan.Write(p)
}

// Request returns what the body told so far.
func (i *Inspector) Request() Request {
	str := func(key string) string {
		value := gjson.ParseBytes(i.scan.values[key])
		if value.Type != gjson.String {
			return ""
		}
		return value.Str
	}
	return Request{
		Model:              str("model"),
		Stream:             gjson.ParseBytes(i.scan.values["stream"]).Type == gjson.True,
		PromptCacheKey:     str("prompt_cache_key"),
		PreviousResponseID: str("previous_response_id"),
		ServiceTier:        str("service_tier"),
		ReasoningEffort:    gjson.GetBytes(i.scan.values["reasoning"], "effort").String(),
		ClientMetadata:     i.scan.values["client_metadata"],
		Bytes:              i.bytes,
		Sum:                i.sum.Sum64(),
		Malformed:          i.bytes > 0 && (i.scan.malformed || !i.scan.done),
	}
}

// Request is what the top level of a request body told. Fields are empty where
// it told nothing.
type Request struct {
	Model              string
	Stream             bool
	PromptCacheKey     string
	PreviousResponseID string
	ServiceTier        string
	ReasoningEffort    string
	ClientMetadata     []byte // raw JSON object
	Bytes              int64
	// Sum is equal for equal bodies within this process.
	Sum uint64
	// Malformed reports that the body was not one whole JSON object.
	Malformed bool
}

// Metadata returns a string of the request's client_metadata.
func (r Request) Metadata(key string) string {
	value := gjson.GetBytes(r.ClientMetadata, gjsonKey(key))
	if value.Type != gjson.String {
		return ""
	}
	return value.Str
}

// gjsonKey escapes what gjson would take for syntax. The keys asked for are
// constants with at most dashes and underscores, so only dots matter.
func gjsonKey(key string) string {
	out := make([]byte, 0, len(key))
	for i := range len(key) {
		if key[i] == '.' {
			out = append(out, '\\')
		}
		out = append(out, key[i])
	}
	return string(out)
}
