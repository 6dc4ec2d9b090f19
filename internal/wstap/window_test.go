package wstap

import "testing"

func TestWindow(t *testing.T) {
	const size = 256
	for _, piece := range []int{1, 3, 100, 127, 128, 129, 255, 256, 257, 1000} {
		w, past := window{size: size}, noise(uint64(piece), 10*size)
		for at := 0; at < len(past); at += piece {
			end := min(at+piece, len(past))
			w.write([]byte(past[at:end]))
			if got, want := string(w.latest()), past[max(0, end-size):end]; got != want {
				t.Fatalf("pieces of %d: the window after %d bytes has %d; want the last %d", piece, end, len(got), len(want))
			}
			if cap(w.buf) > max(minBytes, size+size/2) {
				t.Fatalf("pieces of %d: %d bytes held", piece, cap(w.buf))
			}
		}
		w.forget()
		if n := len(w.latest()); n != 0 {
			t.Errorf("pieces of %d: %d bytes after forget; want none", piece, n)
		}
	}
}
