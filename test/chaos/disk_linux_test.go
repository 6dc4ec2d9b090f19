package chaos_test

import (
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/fidelity"
)

// fullDisk returns a directory on a disk without space, and what makes some. Who may not mount gets one that cannot be
// written to for another reason.
func fullDisk(t *testing.T) (dir, trouble string, mend func()) {
	t.Helper()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=512k"); err != nil {
		t.Logf("cannot mount, so that the disk is not full but not there: %v", err)
		file := filepath.Join(disk, "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(file, "state"), "io_error", func() { _ = os.Remove(file) }
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Errorf("Unmount() = %v", err)
		}
	})
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 340<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(disk, "state"), "disk_full", func() { _ = os.Remove(ballast) }
}

// TestFullDisk fills the disk under a proxy that has no collector: random streams pass as they would without the proxy, and
// the telemetry that has no place on the disk arrives after all.
func TestFullDisk(t *testing.T) {
	origin := httptest.NewServer(fidelity.NewOrigin())
	defer origin.Close()
	dir, trouble, mend := fullDisk(t)
	c := newCollector(t, rand.New(rand.NewPCG(1, 1)))
	c.feel(t, down)
	p := start(t, config(origin.URL+"/v1", c.address, dir))
	streams, seed := 100, uint64(3)
	if text := os.Getenv("FIDELITY_STREAMS"); text != "" {
		var err error
		if streams, err = strconv.Atoi(text); err != nil {
			t.Fatalf("FIDELITY_STREAMS = %q; want a number", text)
		}
	}
	for began := time.Now(); p.ledger(t).Trouble != trouble; seed++ {
		if time.Since(began) > patience {
			t.Fatalf("ledger = %+v; want trouble %s", p.ledger(t), trouble)
		}
		if _, err := (fidelity.Comparison{Direct: origin.URL, Proxied: p.url, Seed: seed, Streams: 100}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	result, err := fidelity.Comparison{Direct: origin.URL, Proxied: p.url, Seed: seed, Streams: streams}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if got := p.ledger(t); got.Trouble != trouble || got.Durable {
		t.Errorf("ledger = %+v; want trouble %s to last", got, trouble)
	}
	if !strings.Contains(p.text(), trouble) {
		t.Errorf("log = %s; want it to tell of %s", p.text(), trouble)
	}
	mend()
	c.feel(t, up)
	final := p.until(t, "delivery", func(b books) bool { return b.Total.Queued == 0 && b.Durable })
	// Very many streams do not find room in memory either.
	full := final.Total.Dropped["queue_full"]
	if distinct, _ := c.distinct(); int64(distinct) != final.Total.Delivered || final.Total.Observed != final.Total.Delivered+full {
		t.Errorf("the collector has %d records, books = %+v; want all of them delivered, or dropped for want of room", distinct, final.Total)
	}
	p.terminate(t)
	p.exited(t)
	t.Logf("%d streams, %d MiB, equal in %v while the disk was unusable: %s; %d records delivered after that, %d found no room in memory",
		result.Streams, result.Bytes>>20, took.Round(time.Millisecond), trouble, final.Total.Delivered, full)
}
