package responses

import (
	"bytes"
	"maps"
	"slices"
)

// blockBytes is how far apart checkpoints are. What is new in a request is read
// from the last one before it.
const blockBytes = 64 << 10

// inBlock takes bytes of the block under way. An agent sends the whole history
// with every request: as long as each block ends a body that was seen before, in
// this one as in that one, nothing is read but for its sum.
func (i *Inspector) inBlock(piece []byte, last bool) {
	_, _ = i.sum.Write(piece)
	i.block += len(piece)
	ends := i.block == i.history.block
	switch {
	case !i.follows:
		i.scan.Write(piece)
	case ends:
		if known := i.history.find(i.sum.Sum64()); known != nil {
			i.reached, i.unread = known, i.unread[:0]
			break
		}
		i.read(piece)
	case last && i.complete(piece):
		i.read(piece)
	default:
		if i.unread == nil {
			i.unread = i.history.buffer()
		}
		i.unread = append(i.unread, piece...)
	}
	if !ends {
		return
	}
	i.block = 0
	if i.follows {
		return
	}
	// An output that was waited for is history the next time, and not here.
	if i.scan.malformed || i.scan.done || i.collect.waited || !i.history.keep(i.sum.Sum64(), i.checkpoint()) {
		i.history = nil
	}
}

// complete reports whether the body may be complete with what came last.
func (i *Inspector) complete(p []byte) bool {
	if i.total > 0 {
		return i.bytes >= i.total
	}
	return bytes.HasSuffix(bytes.TrimRight(p, " \t\r\n"), []byte("}"))
}

// read stops following: it reads what was not read yet, and then p.
func (i *Inspector) read(p []byte) {
	if !i.follows {
		i.scan.Write(p)
		return
	}
	i.follows = false
	if i.reached != nil {
		i.restore(i.reached)
		i.since = i.scan.read
		i.reached = nil
	}
	i.scan.Write(i.unread)
	i.scan.Write(p)
	if i.unread != nil {
		i.history.release(i.unread)
		i.unread = nil
	}
}

// checkpoint is how far a body was read: what an Inspector knows after a block.
type checkpoint struct {
	scan    scanner
	collect collector
}

// checkpoint returns what is known by now. Nothing in it changes any more.
func (i *Inspector) checkpoint() *checkpoint {
	i.scan.shared = true
	return (&checkpoint{i.scan, i.collect}).share(&i.collect)
}

// restore goes on from a checkpoint.
func (i *Inspector) restore(c *checkpoint) {
	scan, collect := i.scan, i.collect
	again := checkpoint{c.scan, c.collect}
	again.share(&again.collect)
	i.scan, i.collect = again.scan, again.collect
	i.scan.treat, i.scan.show = scan.treat, scan.show
	i.collect.inFlight = collect.inFlight
}

// share makes what a checkpoint has in common with others safe to append to. The
// stashes are those of from.
func (c *checkpoint) share(from *collector) *checkpoint {
	c.scan.treat, c.scan.show, c.collect.inFlight = nil, nil, nil
	c.scan.values = maps.Clone(c.scan.values)
	c.scan.key = slices.Clone(c.scan.key)
	c.scan.value = slices.Clip(c.scan.value)
	c.scan.held = slices.Clip(c.scan.held)
	c.collect.tail, c.collect.early = from.tail.share(), from.early.share()
	c.collect.calls, c.collect.reply = from.calls.share(), from.reply.share()
	c.collect.ids = slices.Clone(c.collect.ids)
	input := &c.collect.input
	input.Prompts = slices.Clip(input.Prompts)
	input.MCPServers, input.ToolPrefixes = slices.Clip(input.MCPServers), slices.Clip(input.ToolPrefixes)
	return c
}

// size is about how much memory a checkpoint holds on to, what it shares with
// others included.
func (c *checkpoint) size() int {
	const fixed = 2 << 10
	n := fixed + len(c.scan.value) + len(c.scan.held) + 8*len(c.collect.input.Prompts)
	for _, s := range []*stash{&c.collect.tail, &c.collect.early, &c.collect.calls, &c.collect.reply} {
		n += len(s.bytes) + len(s.items)*48
	}
	for _, value := range c.scan.values {
		n += len(value)
	}
	return n
}
