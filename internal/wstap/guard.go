package wstap

// ignore is a Sink that does nothing.
type ignore struct{}

func (ignore) Message(*Message)      {}
func (ignore) CloseFrame(CloseFrame) {}
func (ignore) Lost(Lost)             {}

// guard stands between a Reader and its Sink, so that a Sink that panics never takes the tunnel with it. Such a Sink gets
// nothing more, but the Reader goes on.
type guard struct {
	sink    Sink
	onPanic func(any)
	panics  int64
}

var _ Sink = (*guard)(nil)

// Message delivers m, unless the Sink has panicked before.
func (g *guard) Message(m *Message) {
	if g.panics == 0 {
		defer g.contain()
		g.sink.Message(m)
	}
}

// CloseFrame delivers c, unless the Sink has panicked before.
func (g *guard) CloseFrame(c CloseFrame) {
	if g.panics == 0 {
		defer g.contain()
		g.sink.CloseFrame(c)
	}
}

// Lost delivers the reason, unless the Sink has panicked before.
func (g *guard) Lost(reason Lost) {
	if g.panics == 0 {
		defer g.contain()
		g.sink.Lost(reason)
	}
}

// contain is deferred around whatever may panic.
func (g *guard) contain() {
	if v := recover(); v != nil {
		g.report(v)
	}
}

func (g *guard) report(v any) {
	g.panics++
	if g.onPanic == nil {
		return
	}
	defer func() { _ = recover() }() // a reporter that panics has nobody left to report to
	g.onPanic(v)
}
