package responses

import (
	"math/rand/v2"
	"testing"
)

func TestSkipPlain(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		data := make([]byte, random.IntN(40))
		for i := range data {
			data[i] = byte(random.IntN(256))
			if random.IntN(8) > 0 {
				data[i] |= 0x80
			}
		}
		at := random.IntN(len(data) + 1)
		want := at
		for want < len(data) && data[want] != '"' && data[want] != '\\' && data[want] >= ' ' {
			want++
		}
		if got := skipPlain(data, at); got != want {
			t.Fatalf("skipPlain(%q, %d) = %d; want %d", data, at, got, want)
		}
	}
}
