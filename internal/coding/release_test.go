package coding

import (
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// TestDecoderLetsGo leaves bodies at every point, and looks for coroutines that are still there.
func TestDecoderLetsGo(t *testing.T) {
	pool := &Pool{}
	pieces := events(3)
	for _, c := range codecs() {
		encoded := c.encoded(t, pieces...)
		for n := range len(encoded) {
			d := pool.Decoder([]string{c.coding})
			d.Write(encoded[:n], func([]byte) {})
			d.Finish(func([]byte) {})
			if d.buffer != nil || d.layers[0] != nil {
				t.Errorf("%s, %d bytes: memory held after Finish", c.name, n)
			}
		}
	}
	if err := goleak.Find(); err != nil {
		t.Error(err)
	}
}

// TestDecoderReceiverPanics breaks the function at each of its calls, also at those of Finish.
func TestDecoderReceiverPanics(t *testing.T) {
	pool := &Pool{}
	body := document(200_000)
	for _, c := range codecs() {
		encoded := c.encoded(t, body[:150_000], body[150_000:])
		encoded = encoded[:len(encoded)-1] // so that there is something to finish
		for breakAt := 1; ; breakAt++ {
			d := pool.Decoder([]string{c.coding})
			calls, got := 0, ""
			yield := func(b []byte) {
				if calls++; calls == breakAt {
					panic("receiver broke")
				}
				got += string(b)
			}
			var panics []any
			guarded := func(f func()) {
				defer func() {
					if v := recover(); v != nil {
						panics = append(panics, v)
					}
				}()
				f()
			}
			for chunk := range slices.Chunk(encoded, 20_000) {
				guarded(func() { d.Write(chunk, yield) })
			}
			guarded(func() { d.Finish(yield) })
			if calls < breakAt {
				break // there are no more calls
			}
			if len(panics) != 1 || panics[0] != "receiver broke" || calls != breakAt {
				t.Errorf("%s, call %d of %d: panics %v; want the one of the receiver", c.name, breakAt, calls, panics)
			}
			if result := d.Result(); result.State != Broken || !errors.Is(result.Err, errPanic) || !strings.HasPrefix(body, got) {
				t.Errorf("%s, call %d: %+v; want broken", c.name, breakAt, result)
			}
		}
	}
	if err := goleak.Find(); err != nil {
		t.Error(err)
	}
}

// TestDecoderReceiverExits ends the goroutine out of the function, as t.FailNow does.
func TestDecoderReceiverExits(t *testing.T) {
	c := codecs()[0]
	d := (&Pool{}).Decoder([]string{c.coding})
	var all sync.WaitGroup
	all.Go(func() { d.Write(c.encoded(t, "body"), func([]byte) { runtime.Goexit() }) })
	all.Wait()
	if result := d.Result(); result.State != Broken {
		t.Errorf("%+v; want broken", result)
	}
	d.Finish(func([]byte) { t.Error("decoded something") })
	if err := goleak.Find(); err != nil {
		t.Error(err)
	}
}

// brokenLayer reads a few bytes, gives one, and then panics, or gives nothing any more.
type brokenLayer struct {
	r      io.Reader
	reads  int
	panics bool
	closes int
}

func (l *brokenLayer) open(r io.Reader) { l.r = r }
func (l *brokenLayer) close()           { l.closes++ }
func (l *brokenLayer) Read(p []byte) (int, error) {
	if l.reads++; l.reads == 1 {
		p[0] = 'x'
		_, err := io.ReadFull(l.r, p[1:4])
		return 1, err
	}
	if l.panics {
		panic("decoder broke at " + string(p[:4]))
	}
	return 0, nil
}

func TestDecoderContainsPanics(t *testing.T) {
	pool := &Pool{}
	broken := &brokenLayer{panics: true}
	got, result := decodeWith(pool, broken)
	if got != "x" || result.State != Broken || result.Err == nil || result.Decoded != 1 {
		t.Errorf("decoded %q, %+v; want x, broken", got, result)
	}
	if strings.Contains(result.Err.Error(), "broke at") {
		t.Errorf("Err = %v; want nothing of what the panic said", result.Err)
	}
	if l := pool.layer(kindGzip); l == layer(broken) {
		t.Errorf("the broken decoder is used again")
	}
}

func TestDecoderStopsWithoutProgress(t *testing.T) {
	broken := &brokenLayer{}
	got, result := decodeWith(&Pool{}, broken)
	if got != "x" || result.State != Malformed || !errors.Is(result.Err, io.ErrNoProgress) {
		t.Errorf("decoded %q, %+v; want x, malformed, %v", got, result, io.ErrNoProgress)
	}
	if broken.closes != 1 {
		t.Errorf("closed %d times; want 1", broken.closes)
	}
}

// decodeWith decodes with a layer in the place of gzip.
func decodeWith(pool *Pool, l layer) (string, Result) {
	pool.layers[kindGzip].New = func() any { return l }
	defer func() { pool.layers[kindGzip].New = nil }()
	return decode(pool, "gzip", []byte("abcdef"), 2)
}

// TestPoolIsNotHaunted gives every decoder a body, cut off or damaged anywhere, before each good one.
func TestPoolIsNotHaunted(t *testing.T) {
	pool := &Pool{MaxBytes: 1 << 20}
	pieces := events(3)
	body := strings.Join(pieces, "")
	for _, c := range codecs() {
		encoded := c.encoded(t, pieces...)
		for n := range len(encoded) {
			damaged := slices.Clone(encoded)
			damaged[n] ^= 0xff
			for _, before := range [][]byte{encoded[:n], damaged} {
				decode(pool, c.coding, before, 100)
				if got, result := decode(pool, c.coding, encoded, 100); got != body || result.State != Done {
					t.Fatalf("%s after a body bad at %d: decoded %q, %+v; want the body, done", c.name, n, got, result)
				}
			}
		}
	}
}

func TestPoolIsShared(t *testing.T) {
	pool := &Pool{}
	body := document(100_000)
	var all sync.WaitGroup
	for _, c := range codecs() {
		encoded := c.encoded(t, body)
		for range 4 {
			all.Go(func() {
				for range 10 {
					if got, result := decode(pool, c.coding, encoded, 1400); got != body || result.State != Done {
						t.Errorf("%s: decoded %d bytes, %+v; want the body, done", c.name, len(got), result)
					}
				}
			})
		}
	}
	all.Wait()
}

// TestDecoderMovesBetweenGoroutines has each call made by another goroutine, as reads and the close of a body may be.
func TestDecoderMovesBetweenGoroutines(t *testing.T) {
	pool := &Pool{}
	body := document(100_000)
	for _, c := range codecs() {
		d := pool.Decoder([]string{c.coding})
		got := ""
		yield := func(b []byte) { got += string(b) }
		var each sync.WaitGroup
		for chunk := range slices.Chunk(c.encoded(t, body), 1400) {
			each.Go(func() { d.Write(chunk, yield) })
			each.Wait()
		}
		each.Go(func() { d.Finish(yield) })
		each.Wait()
		if got != body || d.Result().State != Done {
			t.Errorf("%s: decoded %d bytes, %+v; want the body, done", c.name, len(got), d.Result())
		}
	}
}
