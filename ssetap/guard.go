package ssetap

// guard stands between a tap and its Sink, so that a Sink that panics never takes the wire with it.
type guard struct {
	sink    Sink
	onPanic func(any)
	panics  int64
}

// event delivers e, unless the Sink has panicked before.
func (g *guard) event(e *Event) (terminal bool) {
	if g.panics > 0 {
		return false
	}
	defer g.contain()
	return g.sink.Event(e)
}

// end delivers the End in any case.
func (g *guard) end(end End) {
	defer g.contain()
	g.sink.End(end)
}

// contain is deferred around calls of the Sink.
func (g *guard) contain() {
	v := recover()
	if v == nil {
		return
	}
	g.panics++
	if g.onPanic == nil {
		return
	}
	defer func() { _ = recover() }() // a reporter that panics has nobody left to report to
	g.onPanic(v)
}
