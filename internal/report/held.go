package report

import (
	"container/list"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// heldOverhead is about what a held record takes beside its strings.
const heldOverhead = 1 << 10

// heldRecord is a record that waits for others to tell the same fact.
type heldRecord struct {
	key      uint64 // in the journal
	memo     *memo
	record   events.Record
	best     teller // of those whose telling it is
	size     int
	due      time.Time
	ready    bool // it waits only for its turn
	absorbed bool // its telling went into another record
	element  *list.Element
}

// waitingRoom holds records: in order of arrival, which is also that of their
// due times, and by conversation, since those of one leave in order. Its owner
// guards it.
type waitingRoom struct {
	all            list.List // of *heldRecord
	byConversation map[string][]*heldRecord
	bytes          int
}

func newWaitingRoom() *waitingRoom {
	return &waitingRoom{byConversation: make(map[string][]*heldRecord)}
}

// enter adds a record at the end.
func (w *waitingRoom) enter(h *heldRecord) {
	h.element = w.all.PushBack(h)
	id := h.record.Scope.ConversationID
	w.byConversation[id] = append(w.byConversation[id], h)
	w.bytes += h.size
	h.memo.held = h
}

// oldest returns the record that waits longest, nil for none.
func (w *waitingRoom) oldest() *heldRecord {
	front := w.all.Front()
	if front == nil {
		return nil
	}
	return front.Value.(*heldRecord)
}

// resize accounts for a record that was merged into h.
func (w *waitingRoom) resize(h *heldRecord) {
	w.bytes -= h.size
	h.size = heldBytes(h.record)
	w.bytes += h.size
}

// leave removes the records of a conversation that are ready and have nothing
// before them that is not.
func (w *waitingRoom) leave(conversation string) []*heldRecord {
	queue := w.byConversation[conversation]
	n := 0
	for n < len(queue) && queue[n].ready {
		h := queue[n]
		w.all.Remove(h.element)
		w.bytes -= h.size
		h.memo.held = nil
		n++
	}
	if n == len(queue) {
		delete(w.byConversation, conversation)
	} else {
		w.byConversation[conversation] = queue[n:]
	}
	return queue[:n]
}

// heldBytes returns about how much memory a held record takes.
func heldBytes(r events.Record) int {
	n := heldOverhead + events.PairBytes(r.Extra())
	switch event := r.Event.(type) {
	case *events.UserPrompt:
		n += len(event.Prompt.Value)
	case *events.ToolResult:
		n += len(event.Arguments.Value) + len(event.Output.Value) + len(event.ToolName) + len(event.CallID.Value)
	case *events.ToolDecision:
		n += len(event.ToolName) + len(event.CallID)
	default:
	}
	return n
}
