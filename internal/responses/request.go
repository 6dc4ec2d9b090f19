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
	scan    scanner
	collect collector
	sum     maphash.Hash
	bytes   int64

	history *History // nil: no use is made of it, or no longer
	total   int64
	block   int         // bytes of the block under way
	follows bool        // all blocks so far were seen before, and none was read
	reached *checkpoint // after the last of them; nil before the first
	unread  []byte      // what came since
	since   int64       // where reading began

	told *Request // what was told last; nil if nothing was
}

// InspectorConfig says what an Inspector looks for.
type InspectorConfig struct {
	// Items makes it look at the items of the input and at the tools.
	Items bool
	// InFlight reports whether the output of a call is waited for; nil for none.
	// It must not keep the id.
	InFlight func(callID []byte) bool
	// History remembers what bodies began with, and spares reading that again; nil
	// for none. It takes Items.
	History *History
	// Bytes is the length of the body, 0 or less if it is not known.
	Bytes int64
}

// maxValueBytes bounds one value kept of a request.
const maxValueBytes = 64 << 10

// seed makes sums comparable within the process, and only there.
var seed = maphash.MakeSeed()

// NewInspector returns an Inspector for one request.
func NewInspector(cfg InspectorConfig) *Inspector {
	i := &Inspector{collect: collector{inFlight: cfg.InFlight}}
	i.scan = scanner{treat: treatValues, show: i.collect.element, limit: maxValueBytes}
	if cfg.Items {
		i.scan.treat = treatItems
	}
	i.sum.SetSeed(seed)
	if cfg.Items {
		i.history, i.follows, i.total = cfg.History, cfg.History != nil, cfg.Bytes
	}
	return i
}

func treatItems(key []byte) treatment {
	if string(key) == "input" || string(key) == "tools" {
		return shown
	}
	return treatValues(key)
}

func treatValues(key []byte) treatment {
	switch string(key) {
	case "model", "stream", "background", "prompt_cache_key", "previous_response_id",
		"client_metadata", "reasoning", "service_tier", "conversation", "generate", "store":
		return kept
	default:
		return skipped
	}
}

// Write takes the next bytes of the body. It never fails.
func (i *Inspector) Write(p []byte) {
	i.bytes += int64(len(p))
	for i.history != nil && len(p) > 0 {
		piece := p[:min(len(p), i.history.block-i.block)]
		p = p[len(piece):]
		i.inBlock(piece, len(p) == 0)
	}
	if len(p) > 0 {
		_, _ = i.sum.Write(p)
		i.scan.Write(p)
	}
}

// Done reports whether the whole body was seen.
func (i *Inspector) Done() bool { return i.scan.done }

// Input returns what the items told, and lets go of them: the response may take
// long. It is to be called once, at the end.
func (i *Inspector) Input() *Input {
	i.read(nil)
	input := i.collect.finish()
	i.collect.tail, i.collect.early, i.collect.calls, i.collect.reply = stash{}, stash{}, stash{}, stash{}
	i.collect.ids, i.scan.held = nil, nil
	return input
}

// Request returns what the body told so far, which is not to be changed.
func (i *Inspector) Request() *Request {
	if i.told == nil || i.told.Bytes != i.bytes {
		i.read(nil)
		i.told = i.request()
	}
	return i.told
}

func (i *Inspector) request() *Request {
	str := func(key string) string {
		value := gjson.ParseBytes(i.scan.values[key])
		if value.Type != gjson.String {
			return ""
		}
		return value.Str
	}
	return &Request{
		Model:              str("model"),
		Stream:             gjson.ParseBytes(i.scan.values["stream"]).Type == gjson.True,
		Background:         gjson.ParseBytes(i.scan.values["background"]).Type == gjson.True,
		Unstored:           gjson.ParseBytes(i.scan.values["store"]).Type == gjson.False,
		PromptCacheKey:     str("prompt_cache_key"),
		PreviousResponseID: str("previous_response_id"),
		ServiceTier:        str("service_tier"),
		ReasoningEffort:    gjson.GetBytes(i.scan.values["reasoning"], "effort").String(),
		ReasoningSummary:   gjson.GetBytes(i.scan.values["reasoning"], "summary").String(),
		Conversation:       conversationOf(i.scan.values["conversation"]),
		WarmsUp:            gjson.ParseBytes(i.scan.values["generate"]).Type == gjson.False,
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
	ReasoningSummary   string
	// Background reports that the response goes on without the request.
	Background bool
	// Unstored reports that the response is not to be kept, so that nobody can
	// read it again.
	Unstored bool
	// Conversation is the id of a conversation that the API itself keeps.
	Conversation string
	// WarmsUp reports that the model is to produce nothing yet.
	WarmsUp        bool
	ClientMetadata []byte // raw JSON object
	Bytes          int64
	// Sum is equal for equal bodies within this process.
	Sum uint64
	// Malformed reports that the body was not one whole JSON object.
	Malformed bool
}

// Metadata returns a string of the request's client_metadata.
func (r *Request) Metadata(key string) string {
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

// conversationOf reads the conversation of a request: its id, or an object with
// it.
func conversationOf(raw []byte) string {
	value := gjson.ParseBytes(raw)
	if value.IsObject() {
		value = value.Get("id")
	}
	if value.Type != gjson.String {
		return ""
	}
	return value.Str
}

// sumOf returns a sum that is equal for equal bytes within this process.
func sumOf(p []byte) uint64 { return maphash.Bytes(seed, p) }
