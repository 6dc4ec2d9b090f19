package main

import (
	"errors"
	"strings"
	"testing"
)

func TestColumnCell(t *testing.T) {
	run := func(round int, target string, cpu float64) Result {
		return Result{Mode: "paced", Round: round, Target: target, ProxyCPU: cpu, Errors: round}
	}
	results := []Result{
		run(1, "us", 2), run(2, "us", 6), run(3, "us", 9),
		run(3, nginx, 3), run(2, nginx, 2), run(1, nginx, 2),
		run(1, direct, 1), run(2, direct, 4), run(3, direct, 10),
		run(1, baregoFD, 3), run(2, baregoFD, 5),
	}
	cpu := func(r Result) float64 { return r.ProxyCPU }
	for _, test := range []struct {
		column column
		target string
		want   string
	}{
		{plain("", "%.1f", cpu), "us", "6.0"},
		{total("", Result.failures), "us", "6"},
		{ratio("", nginx, cpu), "us", "3.00"},
		{ratio("", "absent", cpu), "us", "-"},
		{overDirect("", cpu), "us", "+1"},
		{overDirectRatio("", cpu), "us", "1.25"}, // 1/2 and 2/1; the third round has no barego-fd
		{overDirectRatio("", cpu), baregoFD, "1.00"},
		{overDirectRatio("", cpu), direct, "-"}, // nothing over itself
	} {
		got := test.column.cell(runsOf(results, "paced", test.target), roundsOf(results, "paced"))
		if got != test.want {
			t.Errorf("cell of %s = %s; want %s", test.target, got, test.want)
		}
	}
	missing := results[:6] // no direct
	if got := overDirectRatio("", cpu).cell(runsOf(missing, "paced", "us"), roundsOf(missing, "paced")); got != "-" {
		t.Errorf("over direct without direct = %s; want -", got)
	}
}

// TestQuietestKeepsFaults wants the figures of the least disturbed try and the faults of all.
func TestQuietestKeepsFaults(t *testing.T) {
	books := Books{Observed: 10, Received: 9, Distinct: 9, Live: true}
	tries := []Result{
		{Streams: 5, Window: 1, ForeignCPU: .9, Errors: 1, FirstError: "cut", RequestAltered: 1, Books: books},
		{Streams: 7, Window: 1, ForeignCPU: .3, Books: books},
		{Streams: 6, Window: 1, ForeignCPU: .5, ResponseAltered: 2, OldHTTP: 4, Books: books},
	}
	called := 0
	got, err := quietest(.1, func() (Result, error) { called++; return tries[called-1], nil })
	want := Result{
		Streams: 7, Window: 1, ForeignCPU: .3, Repeated: 11, Errors: 1, FirstError: "cut", RequestAltered: 1, ResponseAltered: 2,
		OldHTTP: 4, Books: Books{Observed: 30, Received: 27, Distinct: 27, Live: true},
	}
	if err != nil || got != want {
		t.Errorf("quietest() = %+v, %v; want %+v", got, err, want)
	}
	called = 0
	got, err = quietest(.9, func() (Result, error) { called++; return tries[called-1], nil })
	if err != nil || called != 1 || got != tries[0] {
		t.Errorf("quietest() = %+v, %v after %d tries; want the first", got, err, called)
	}
	broken := errors.New("broken")
	called = 0
	_, err = quietest(.1, func() (Result, error) { called++; return tries[0], []error{nil, broken}[called-1] })
	if !errors.Is(err, broken) {
		t.Errorf("quietest() = %v; want the error of the second try", err)
	}
}

func TestTotals(t *testing.T) {
	good := []Result{
		{Mode: "paced", Target: "us-all", Streams: 5, Repeated: 2, Books: Books{Observed: 10, Received: 11, Distinct: 10}},
		{Mode: "paced", Target: "us-dead", Streams: 4, Books: Books{Observed: 10, Queued: 10}},
		{Mode: "idle5000", Target: "us-all", Streams: 3},
	}
	got := totalsOf(good)
	if want := (totals{streams: 11, held: 3, observed: 10, received: 10}); got != want || got.err() != nil {
		t.Errorf("totalsOf() = %+v with %v; want %+v", got, got.err(), want)
	}
	for _, bad := range []Result{
		{Errors: 1},
		{ResponseAltered: 1},
		{RequestAltered: 1},
		{OldHTTP: 1},
		{Books: Books{Observed: 3, Received: 2, Distinct: 2}},
		{Books: Books{Observed: 3, Live: true}},
	} {
		if err := totalsOf(append(good, bad)).err(); err == nil {
			t.Errorf("totals of %+v have no error", bad)
		}
	}
}

// TestReport wants the one bad round of three to be seen.
func TestReport(t *testing.T) {
	results := []Result{
		{Mode: "h2", Target: "us-all", Round: 1, Streams: 1},
		{Mode: "h2", Target: "us-all", Round: 2, Streams: 1, OldHTTP: 3, ResponseAltered: 2},
		{Mode: "h2", Target: "us-all", Round: 3, Streams: 1},
	}
	var text strings.Builder
	if err := writeReport(&text, results); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	head, row := strings.Split(lines[2], "|"), strings.Split(lines[4], "|")
	for i, want := range map[string]string{"rounds": "3", "errors": "3", "altered": "2", "p50 over direct, of barego-fd": "-"} {
		found := false
		for n := range head {
			if strings.TrimSpace(head[n]) == i {
				found = true
				if got := strings.TrimSpace(row[n]); got != want {
					t.Errorf("%s = %s; want %s", i, got, want)
				}
			}
		}
		if !found {
			t.Errorf("no column %s in %s", i, lines[2])
		}
	}
	if want := "Total: 3 requests with their streams, 2 responses altered, 0 requests altered, 3 errors; "; !strings.Contains(text.String(), want) {
		t.Errorf("report lacks %q:\n%s", want, text.String())
	}
}
