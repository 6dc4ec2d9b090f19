package responses

import "strings"

// Endpoint is what a path below the base URL means. The zero Endpoint is not a
// model endpoint: it is forwarded and not told.
type Endpoint struct {
	// Path is the attribute endpoint: the path below the base URL with ids left
	// out, such as /responses or /responses/{id}.
	Path string
	// Generates reports whether the call makes the model produce something, so
	// that its usage counts. Reading a stored response does not: its usage counts
	// once, see Items.
	Generates bool
	// Stored reports whether an answer is a response that another call made.
	Stored bool
	// Chat reports the Chat Completions wire format.
	Chat bool
	// Streams reports whether an answer may be a stream of events.
	Streams bool
}

// Model reports whether it is a model endpoint, whose calls are told.
func (e Endpoint) Model() bool { return e.Path != "" }

// EndpointOf classifies a request by its method and its path below the base
// URL, "/responses" for the path /v1/responses.
func EndpointOf(method, path string) Endpoint {
	path = strings.TrimSuffix(path, "/")
	switch path {
	case "/responses":
		if method == "POST" {
			return Endpoint{Path: path, Generates: true, Streams: true}
		}
	case "/chat/completions":
		if method == "POST" {
			return Endpoint{Path: path, Generates: true, Streams: true, Chat: true}
		}
	case "/responses/compact", "/memories/trace_summarize":
		if method == "POST" {
			return Endpoint{Path: path, Generates: true}
		}
	case "/responses/input_tokens":
		if method == "POST" {
			return Endpoint{Path: path}
		}
	case "/models":
		if method == "GET" {
			return Endpoint{Path: path}
		}
	}
	return storedResponse(method, path)
}

// storedResponse classifies the calls that name a stored response.
func storedResponse(method, path string) Endpoint {
	id, ok := strings.CutPrefix(path, "/responses/")
	if !ok || id == "" {
		return Endpoint{}
	}
	id, rest, _ := strings.Cut(id, "/")
	switch {
	case id == "compact" || id == "input_tokens":
		return Endpoint{}
	case rest == "" && method == "GET":
		return Endpoint{Path: "/responses/{id}", Streams: true, Stored: true}
	case rest == "" && method == "DELETE":
		return Endpoint{Path: "/responses/{id}"}
	case rest == "cancel" && method == "POST":
		return Endpoint{Path: "/responses/{id}/cancel", Stored: true}
	default:
		return Endpoint{}
	}
}

// StoredID returns the id of the stored response that a path below the base URL
// names, "" for none.
func StoredID(path string) string {
	rest, ok := strings.CutPrefix(path, "/responses/")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	if id == "compact" || id == "input_tokens" {
		return ""
	}
	return id
}
