package responses

import (
	"bytes"
	"slices"
)

// Bounds of what is kept of one request.
const (
	maxTailItems   = 256
	maxTailBytes   = 2 << 20
	maxRunCalls    = 128
	maxRunBytes    = 1 << 20
	maxPrompts     = 1024
	maxModelIDs    = 16
	maxServers     = 64
	maxEnvironment = 64 << 10
)

// collector builds an Input from the items as they pass.
type collector struct {
	inFlight func(callID []byte) bool
	input    Input

	tail  stash // prompts and outputs since the last item of the model
	early stash // outputs in flight from before
	calls stash // calls of the last run of items of the model
	reply stash // the last message of the model
	ids   [][]byte
	// tailFrom is the number of the item after the last one of the model.
	tailFrom int
	waited   bool // the output of a call in flight was among the items
	listed   bool // there is a list of tools
	searched bool // it is not complete
}

// element takes the next element of one of the arrays, or the one value that
// stands in its place.
func (c *collector) element(e element) {
	if string(e.key) == "tools" {
		c.tool(e)
		return
	}
	if e.cut {
		c.input.Cut++
	}
	if e.whole && len(e.raw) > 0 && e.raw[0] == '"' {
		// An input that is only a text is one message of the user.
		e.raw = slices.Concat([]byte(`{"role":"user","content":`), e.raw, []byte(`}`))
	}
	index := c.input.Items
	c.input.Items++
	item := ParseItem(e.raw)
	item.Cut = e.cut
	switch item.Kind {
	case KindUser:
		c.user(&item, e, index)
	case KindDeveloper:
		c.developer(&item)
	case KindCall:
		c.model(&item)
		if !c.calls.add(e, index, maxRunCalls, maxRunBytes) {
			c.input.Cut++
		}
	case KindModel:
		c.model(&item)
		if len(item.role) > 0 {
			c.reply.reset()
			c.reply.add(e, index, 1, maxElementBytes)
		}
	case KindSummary:
		c.summarized(&item, e.raw)
		c.model(&item)
	case KindOutput:
		c.output(&item, e, index)
	case KindOther:
		if string(item.typ) == "compaction_trigger" {
			c.input.Compacts = true
		}
	}
}

// model takes an item of the model: all before it is history.
func (c *collector) model(item *Item) {
	c.input.Model, c.input.Compacts = true, false
	c.tail.reset()
	if c.tailFrom < c.input.Items-1 {
		c.calls.reset() // Others came in between: those calls were answered.
	}
	c.tailFrom = c.input.Items
	for _, raw := range [][]byte{item.id, item.callID} {
		if len(raw) == 0 || len(raw) > maxIdentifierBytes {
			continue
		}
		if len(c.ids) < maxModelIDs {
			c.ids = append(c.ids, slices.Clone(raw))
			continue
		}
		copy(c.ids, c.ids[1:])
		c.ids[maxModelIDs-1] = slices.Clone(raw)
	}
}

func (c *collector) summarized(item *Item, raw []byte) {
	sum, ok := item.TextSum()
	if !ok {
		sum = sumOf(raw)
	}
	c.input.Summary = sum
}

func (c *collector) user(item *Item, e element, index int) {
	switch item.origin() {
	case fromAgent:
		for content := range item.texts() {
			c.environment(content)
		}
		return
	case fromCompaction:
		c.summarized(item, e.raw)
		c.model(item)
		return
	case toCompaction:
		c.input.Compacts = true
		return
	case fromUser:
	}
	sum, some := item.TextSum()
	if !some && item.images() == 0 || item.viewed(&c.calls) {
		return
	}
	c.input.Compacts = false
	if len(c.input.Prompts) == maxPrompts {
		c.input.Prompts = append(slices.Clone(c.input.Prompts[1:]), sum)
		c.input.Earlier++
	} else {
		c.input.Prompts = append(c.input.Prompts, sum)
	}
	if !c.tail.add(e, index, maxTailItems, maxTailBytes) {
		c.input.Cut++
	}
}

func (c *collector) developer(item *Item) {
	if !bytes.Contains(item.content, []byte("permissions instructions")) {
		return
	}
	for content := range item.texts() {
		c.environment(content)
	}
}

func (c *collector) environment(content []byte) {
	c.input.Environment.add(content[:min(len(content), maxEnvironment)])
}

// output keeps the output of a call in flight wherever it stands, any other only
// where it may be new.
func (c *collector) output(item *Item, e element, index int) {
	if !item.HasOutput() {
		return
	}
	to := &c.tail
	if id := unquoted(item.callID); len(id) > 0 && c.inFlight != nil && c.inFlight(id) {
		to, c.waited = &c.early, true
	}
	if !to.add(e, index, maxTailItems, maxTailBytes) {
		c.input.Cut++
	}
}

// tool takes one of the tools that the model may call.
func (c *collector) tool(e element) {
	var typ, name []byte
	for key, value := range fields(e.raw) {
		switch string(key) {
		case "type":
			typ = unquoted(value)
		case "name":
			name = value
		}
	}
	if string(typ) == "tool_search" {
		c.searched = true // There are tools that are not in the list.
	}
	c.listed = true
	if server, prefix := toolOrigin(identifier(name)); server != "" {
		c.input.MCPServers = appendOnce(c.input.MCPServers, server)
	} else if prefix != "" {
		c.input.ToolPrefixes = appendOnce(c.input.ToolPrefixes, prefix)
	}
}

func appendOnce(list []string, s string) []string {
	if len(list) >= maxServers || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// finish returns the Input.
func (c *collector) finish() *Input {
	c.input.Tools = c.listed && !c.searched
	c.entries(&c.early)
	c.entries(&c.tail)
	slices.SortStableFunc(c.input.Entries, func(a, b Entry) int { return a.Index - b.Index })
	for _, stashed := range c.calls.items {
		item := c.calls.item(stashed)
		c.input.Calls = append(c.input.Calls, item.Call())
	}
	for _, stashed := range c.reply.items {
		item := c.reply.item(stashed)
		if sum, some := item.TextSum(); some {
			c.input.Answer = sum
		}
	}
	for _, id := range c.ids {
		if id := identifier(id); id != "" {
			c.input.ModelIDs = append(c.input.ModelIDs, id)
		}
	}
	return &c.input
}

func (c *collector) entries(from *stash) {
	for _, stashed := range from.items {
		item := from.item(stashed)
		entry := Entry{Index: stashed.index, Offset: stashed.offset, Tail: stashed.index >= c.tailFrom}
		if item.Kind == KindUser {
			prompt := item.prompt()
			entry.Prompt = &prompt
		} else {
			entry.CallID, entry.Output, entry.Image = item.CallID(), item.Output(), item.image()
		}
		c.input.Entries = append(c.input.Entries, entry)
	}
}
