package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestTroubleIsToldOnce has a directory that cannot be made for ten minutes, which are a hundred attempts.
func TestTroubleIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		book := &logbook{}
		s := open(t, Config{Dir: dir, Logger: book.logger()})
		run(t, s)
		s.Append(entry(0, "a"))
		<-time.After(10 * time.Minute)
		if got := s.Stats(); got.Durable || got.Failures < 100 {
			t.Errorf("Stats() = %+v; want a hundred attempts", got)
		}
		if got := book.count("telemetry is kept in memory only"); got != 1 {
			t.Errorf("%d lines in one outage; want 1", got)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if !s.Stats().Durable || book.count("kept on disk again") != 1 {
			t.Errorf("Stats() = %+v, log %s; want one line for the recovery", s.Stats(), book.text.String())
		}
		balance(t, s)
	})
}

// TestTroubleIsToldAgain has outages with good times in between, long ones and short ones.
func TestTroubleIsToldAgain(t *testing.T) {
	const failing, working = "telemetry is kept in memory only", "kept on disk again"
	for _, test := range []struct {
		name   string
		outage time.Duration // and as much of good times
		want   int           // lines in ten minutes
	}{
		{"two minutes", 2 * time.Minute, 3},
		{"one second", time.Second, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				book := &logbook{}
				h := &health{logger: book.logger()}
				for start := time.Now(); time.Since(start) < 10*time.Minute; {
					for range test.outage / time.Second {
						h.fails(errDamaged)
						h.fails(errors.New("another"))
						<-time.After(time.Second)
					}
					for range test.outage / time.Second {
						h.works(0, 0)
						<-time.After(time.Second)
					}
				}
				if got := book.count("reason=damaged"); got != test.want {
					t.Errorf("%d lines tell of one reason; want %d", got, test.want)
				}
				if got := book.count(failing); got != 2*test.want {
					t.Errorf("%d lines tell of failures; want %d", got, 2*test.want)
				}
				if got := book.count(working); got != test.want {
					t.Errorf("%d lines tell of recoveries; want %d", got, test.want)
				}
			})
		})
	}
}
