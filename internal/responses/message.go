package responses

import (
	"bytes"
	"iter"
	"slices"
	"strings"
)

// Prompt is a message of the user.
type Prompt struct {
	// Text is what the user wrote: the texts of the message one after another
	// without a separator, as Codex tells it.
	Text   string
	Images int
	// Sum is equal for equal texts within this process.
	Sum uint64
}

// texts are the texts of a message, decoded. The labels that Codex puts around
// an image are none.
func (i *Item) texts() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(i.content) > 0 && i.content[0] == '"' {
			yield(textBytes(i.content[:skipValue(i.content, 0)]))
			return
		}
		var held []byte // a text that may be the label of an image
		afterImage := false
		for part := range entries(i.content) {
			content, ok := partText(part)
			if !ok {
				held, afterImage = nil, true
				continue
			}
			if held != nil && !yield(held) {
				return
			}
			held = nil
			switch {
			case isImageLabel(content):
				held = content
			case afterImage && isImageEnd(content):
			case !yield(content):
				return
			}
			afterImage = false
		}
		if held != nil {
			yield(held)
		}
	}
}

// isImageLabel reports whether Codex writes a text before an image
// (codex-rs protocol/src/models.rs).
func isImageLabel(content []byte) bool {
	if !bytes.HasSuffix(content, []byte(">")) {
		return false
	}
	for _, start := range []string{"<image>", "<image name=", "<audio>", "<audio name="} {
		if bytes.HasPrefix(content, []byte(start)) {
			return true
		}
	}
	return false
}

// isImageEnd reports whether Codex writes a text after an image.
func isImageEnd(content []byte) bool {
	return string(content) == "</image>" || string(content) == "</audio>"
}

// isImageError reports whether Codex writes a text in the place of an image that
// it cannot send (codex-rs protocol/src/models.rs).
func isImageError(content []byte) bool {
	for _, start := range []string{"Codex could not read the local image at ", "Codex cannot attach image at ", "Image located at "} {
		if bytes.HasPrefix(content, []byte(start)) {
			return true
		}
	}
	return false
}

// viewed reports whether a message is what the tool view_image puts into the
// history beside its output: an image without a word of the user. calls are those
// right before.
func (i *Item) viewed(calls *stash) bool {
	for content := range i.texts() {
		if len(content) > 0 && !isImageError(content) {
			return false
		}
	}
	return slices.ContainsFunc(calls.items, func(s stashed) bool {
		call := calls.item(s)
		return identifier(call.name) == "view_image"
	})
}

// images counts the parts of a message that are no text.
func (i *Item) images() int {
	n := 0
	for part := range entries(i.content) {
		if _, ok := partText(part); !ok {
			n++
		}
	}
	return n
}

// prompt returns the prompt that a message of the user is.
func (i *Item) prompt() Prompt {
	var b strings.Builder
	for content := range i.texts() {
		b.Write(content)
	}
	sum, _ := i.TextSum()
	return Prompt{Text: b.String(), Images: i.images(), Sum: sum}
}

// origin is where a message with the role of the user comes from.
type origin uint8

const (
	fromUser       origin = iota
	fromAgent             // context that the agent injected
	fromCompaction        // the summary that replaces the history before it
	toCompaction          // the instruction to write that summary
)

// origin tells what the user wrote from what the agent did in the same role.
func (i *Item) origin() origin {
	if kinds := i.contentKinds(); kinds != nil {
		return originOfKinds(kinds)
	}
	for content := range i.texts() {
		if from := originOfText(content, i.Cut); from != fromUser {
			return from
		}
	}
	return fromUser
}

// contentKinds returns what Codex itself says a message consists of. It does so
// for OpenAI's own API since 0.16x.
func (i *Item) contentKinds() []byte {
	for key, value := range fields(i.passthrough) {
		if string(key) == "content_item_kinds" {
			return value
		}
	}
	return nil
}

func originOfKinds(kinds []byte) origin {
	from := fromAgent
	for kind := range entries(kinds) {
		kind = unquoted(kind)
		switch {
		case bytes.HasPrefix(kind, []byte("user.")):
			return fromUser
		case bytes.HasPrefix(kind, []byte("compaction.summary")):
			from = fromCompaction
		}
	}
	return from
}

// injected are the texts that Codex injects in the role of the user: how they
// begin and, where releases agree on it, how they end (is_contextual_user_fragment
// of codex-rs core; the reference has when each came).
var injected = []struct{ start, end string }{
	{"<environment_context>", "</environment_context>"},
	{"<user_instructions>", "</user_instructions>"},
	{"# AGENTS.md instructions", "</INSTRUCTIONS>"},
	{"<user_shell_command>", "</user_shell_command>"},
	{"<turn_aborted>", "</turn_aborted>"},
	{"<subagent_notification>", "</subagent_notification>"},
	{"<recommended_plugins>", ""},
	{"<codex_internal_context", ""},
	{"<goal_context>", ""},
	{"<external_", ""},
	{"<hook_prompt", ""},
	{"<skill>", "</skill>"},
	{"<user_action>", ""},
	{"Warning: apply_patch was requested via ", "Use the apply_patch tool instead of exec_command."},
	{"Warning: The maximum number of unified exec processes you can keep open is", ""},
	{"Warning: Your account was flagged for potentially high-risk cyber activity", ""},
}

// summaries begin what a compaction puts in the place of the history
// (codex-rs core/templates/compact).
var summaries = []string{
	"Another language model started to solve this problem and produced a summary of its thinking process.",
	"You were originally given instructions from a user over one or more turns. Here were the user messages:",
}

// compactions begin the instruction to write such a summary.
var compactions = []string{
	"You are performing a CONTEXT CHECKPOINT COMPACTION.",
	"You have exceeded the maximum number of tokens, please stop coding and instead write a short memento message",
}

// originOfText tells by how a text begins and ends. The end of one that was cut
// is not known.
func originOfText(content []byte, cut bool) origin {
	trimmed := bytes.TrimSpace(content)
	for _, context := range injected {
		if hasPrefixFold(trimmed, context.start) && (cut || hasSuffixFold(trimmed, context.end)) {
			return fromAgent
		}
	}
	for _, start := range summaries {
		if bytes.HasPrefix(trimmed, []byte(start)) {
			return fromCompaction
		}
	}
	for _, start := range compactions {
		if bytes.HasPrefix(trimmed, []byte(start)) {
			return toCompaction
		}
	}
	return fromUser
}

// The comparisons ignore the case of ASCII letters, as Codex does.
func hasPrefixFold(content []byte, prefix string) bool {
	return len(content) >= len(prefix) && bytes.EqualFold(content[:len(prefix)], []byte(prefix))
}

func hasSuffixFold(content []byte, suffix string) bool {
	return len(content) >= len(suffix) && bytes.EqualFold(content[len(content)-len(suffix):], []byte(suffix))
}
