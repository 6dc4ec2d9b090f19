package responses

import "github.com/codex-proxy/codex-proxy/events"

// Input is what the items of a request's input tell, as far as it can be new.
// An agent sends the whole history again with every request; only what follows
// the last item of the model, and the outputs of calls that are still waited
// for, has not been seen before.
type Input struct {
	Items int // items of the input
	// Model reports an item of the model, or a summary that stands for some.
	Model bool
	// Summary is the sum of the last summary of a compaction, 0 without one.
	Summary uint64
	// Compacts reports that the request asks the model for such a summary.
	Compacts bool
	// Prompts are the sums of the texts of the user's messages, oldest first.
	// Earlier counts those before them, which were left out.
	Prompts []uint64
	Earlier int
	// Entries are the prompts and outputs that can be new, in the order of the
	// input.
	Entries []Entry
	// Calls are the calls right before the last outputs.
	Calls []Call
	// Answer is the sum of the text of the model's last message, 0 without one.
	Answer uint64
	// ModelIDs are the ids of the newest items of the model.
	ModelIDs []string

	Environment Environment
	// Tools reports a list of tools that is complete. MCPServers are the servers
	// that some of them are from, in the order of the list; ToolPrefixes is what
	// stands before two underscores in the names of the others.
	Tools        bool
	MCPServers   []string
	ToolPrefixes []string
	// Cut counts what was left out for want of room.
	Cut int64
}

// Entry is a prompt or an output of a request's input.
type Entry struct {
	Prompt *Prompt // nil for an output
	CallID string
	Output string
	Image  *events.Image // that an output gives back
	// Tail reports that no item of the model follows.
	Tail   bool
	Index  int   // number of the item
	Offset int64 // of the item in the request's body
}
