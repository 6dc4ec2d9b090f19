package store

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// crashDir names the directory of the process that is going to be killed.
const crashDir = "STORE_TEST_CRASH_DIR"

// TestCrashChild is that process: it records and delivers until it is killed, and tells of both. Delivering is telling: what
// the parent has read, its collector has.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("is run by TestKill")
	}
	s, err := Open(Config{Dir: dir, Batch: outbox.Limits{MaxRecords: 20}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Run(context.Background()) }()
	if os.Getenv("STORE_TEST_COLLECTOR") == "up" {
		go func() {
			for {
				e, ok := s.Next(0)
				if !ok {
					<-s.Ready()
					continue
				}
				fmt.Fprintf(os.Stdout, "delivered %s\n", strings.Join(ids(t, e), ","))
				s.Done(outbox.Entry{ID: e.ID}, outbox.Settled{outbox.Delivered: e.Counts})
			}
		}()
	}
	tick := time.NewTicker(time.Millisecond)
	for i := 0; ; i++ {
		<-tick.C
		id := fmt.Sprintf("%s%d-%d", map[bool]string{true: "~"}[i%3 > 0], os.Getpid(), i)
		s.Append(entry(200, id))
		fmt.Fprintf(os.Stdout, "recorded %s %d\n", id, time.Now().UnixNano())
	}
}

// history is what children told of, over all rounds.
type history struct {
	recorded  []string // of the last round, in order
	at        map[string]time.Time
	delivered map[string]bool
}

// killOne runs a child for so long and adds what it told of.
func (h *history) killOne(t *testing.T, dir, collector string, after time.Duration) (killed time.Time) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), crashDir+"="+dir, "STORE_TEST_COLLECTOR="+collector)
	var out bytes.Buffer
	child.Stdout = &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	<-time.After(after)
	killed = time.Now()
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // It was killed.
	h.recorded, h.at = nil, map[string]time.Time{}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 3 && fields[0] == "recorded":
			nanos, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				continue // Cut by the kill.
			}
			h.recorded = append(h.recorded, fields[1])
			h.at[fields[1]] = time.Unix(0, nanos)
		case len(fields) == 2 && fields[0] == "delivered":
			for id := range strings.SplitSeq(fields[1], ",") {
				h.delivered[id] = true
			}
		}
	}
	return killed
}

// TestKill kills processes with SIGKILL at random points, one after the other on one directory. What is neither delivered nor
// found again must be younger than the window, and the youngest of all.
func TestKill(t *testing.T) {
	const window, patience = 200 * time.Millisecond, 3 * time.Second
	dir := t.TempDir()
	h := &history{delivered: map[string]bool{}}
	found := map[string]bool{} // waiting after the round before
	late, rounds := 0, 16
	var worst time.Duration
	for round := range rounds {
		collector := []string{"up", "down"}[rand.IntN(2)]
		killed := h.killOne(t, dir, collector, 100*time.Millisecond+rand.N(600*time.Millisecond))
		s := open(t, Config{Dir: dir})
		balance(t, s)
		if stats := s.Stats(); !stats.Durable || stats.SetAside != 0 || stats.Unreadable != 0 {
			t.Errorf("round %d: Stats() = %+v; want an intact database", round, stats)
		}
		ever, _ := s.Ledger()
		for _, account := range ever {
			for _, fate := range outbox.Fates() {
				if fate != outbox.Delivered && account.Settled[fate] != 0 {
					t.Errorf("round %d: account = %+v; want nothing dropped", round, account)
				}
			}
		}
		now := map[string]bool{}
		for _, id := range waiting(t, s) {
			now[id] = true
		}
		crash(s)
		for id := range found {
			if !now[id] && !h.delivered[id] {
				t.Errorf("round %d: %s was on disk before and is neither there nor delivered", round, id)
			}
		}
		found = now
		lost := ""
		for _, id := range h.recorded {
			switch safe := now[id] || h.delivered[id]; {
			case !safe && lost == "":
				lost = id
				worst = max(worst, killed.Sub(h.at[id]))
				if age := killed.Sub(h.at[id]); age > window {
					late++
					t.Logf("round %d: lost a record of %v before the kill", round, age)
					if age > patience {
						t.Errorf("round %d: lost a record of %v before the kill; want at most %v", round, age, window)
					}
				}
			case safe && lost != "" && !h.delivered[id]:
				t.Errorf("round %d: %s is there and the older %s is not", round, id, lost)
			}
		}
	}
	// A busy machine may stall a process for longer than the window now and then.
	if late > rounds/4 {
		t.Errorf("%d of %d rounds lost more than the last %v", late, rounds, window)
	}
	t.Logf("%d records delivered, %d wait, oldest one lost %v before a kill", len(h.delivered), len(found), worst)
}
