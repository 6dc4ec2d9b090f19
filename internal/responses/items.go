package responses

import "time"

// Items takes what a response produces, as it becomes complete. It is told of
// the same item more than once where a response repeats it.
type Items interface {
	// Named gives the id of the response.
	Named(responseID string)
	// Item gives an item of its output, valid until the call returns, and when it
	// was complete.
	Item(item *Item, at time.Time)
	// Charge reports whether the tokens of the response are to be told, which they
	// are once, however often it is read. It is asked once.
	Charge(c Charge) bool
}

// item shows the item that a response.output_item.done event carries.
func (t *Turn) item(e StreamEvent) {
	if t.cfg.Items == nil {
		return
	}
	for key, value := range fields(e.Data) {
		if string(key) == "item" {
			t.show(value, e.At, e.Tail != nil)
		}
	}
}

// output shows the items of a whole response: what a stream has not shown, and
// all of a document.
func (t *Turn) output(response []byte, at time.Time, cut bool) {
	if t.cfg.Items == nil {
		return
	}
	for key, value := range fields(response) {
		if string(key) != "output" {
			continue
		}
		shown := 0
		for item := range entries(value) {
			if shown++; shown > t.items {
				t.show(item, at, cut)
			}
		}
	}
}

func (t *Turn) show(raw []byte, at time.Time, cut bool) {
	item := ParseItem(raw)
	item.Cut = cut
	t.items++
	t.cfg.Items.Item(&item, at)
}

// responseOf returns the response that an event carries, as it is written.
func responseOf(data []byte) []byte {
	for key, value := range fields(data) {
		if string(key) == "response" {
			return value
		}
	}
	return nil
}

// named gives the id of the response to whoever follows its conversation.
func (t *Turn) named(id string) {
	if t.cfg.Items != nil && len(id) <= maxIdentifierBytes {
		t.cfg.Items.Named(id)
	}
}
