package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of the CPU times in /proc: USER_HZ is 100 on Linux.
const tick = 10 * time.Millisecond

// Usage is what a process and its descendants have used so far.
type Usage struct {
	CPU   time.Duration // user and system time, reaped children included
	RSS   int64         // bytes resident, pages shared between them counted once each
	PSS   int64         // bytes resident, shared pages divided among their users
	Peak  int64         // most bytes resident at any time, the peaks of several processes added up
	Procs int           // processes alive
}

// usageOf adds up a process and its descendants; pid 0 is no process.
func usageOf(pid int) (Usage, error) {
	var total Usage
	if pid == 0 {
		return total, nil
	}
	stats, err := allStats()
	if err != nil {
		return total, err
	}
	if _, ok := stats[pid]; !ok {
		return total, fmt.Errorf("process %d is gone", pid)
	}
	for id, stat := range stats {
		if !descends(stats, id, pid) {
			continue
		}
		rss, pss := memoryOf(id)
		total.CPU += stat.cpu
		total.RSS += rss
		total.PSS += pss
		total.Peak += max(rss, peakOf(id))
		total.Procs++
	}
	return total, nil
}

type procStat struct {
	parent int
	cpu    time.Duration
}

func allStats() (map[int]procStat, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	stats := make(map[int]procStat, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		// The command name is in parentheses and may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 15 {
			continue
		}
		number := func(i int) int { n, _ := strconv.Atoi(fields[i]); return n }
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		stats[pid] = procStat{
			parent: number(1),
			cpu:    time.Duration(number(11)+number(12)+number(13)+number(14)) * tick,
		}
	}
	return stats, nil
}

func descends(stats map[int]procStat, pid, from int) bool {
	for pid > 1 {
		if pid == from {
			return true
		}
		pid = stats[pid].parent
	}
	return false
}

// memoryOf reads the exact figures; those in stat and status lag behind.
func memoryOf(pid int) (rss, pss int64) {
	path := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	rss, _ = rollup(path, "Rss:") // a process that has ended takes nothing
	pss, _ = rollup(path, "Pss:")
	return rss, pss
}

// peakOf reads a figure that may lag behind a little, but has no better source.
func peakOf(pid int) int64 {
	peak, _ := rollup(fmt.Sprintf("/proc/%d/status", pid), "VmHWM:")
	return peak
}

// rollup reads one figure of a smaps_rollup or status, in bytes.
func rollup(path, name string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// machineCPU is the time that all CPUs were busy, and stolen by the host.
func machineCPU() (busy, stolen time.Duration) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal
	if len(fields) < 9 {
		return 0, 0
	}
	number := func(i int) time.Duration { n, _ := strconv.Atoi(fields[i]); return time.Duration(n) * tick }
	return number(1) + number(2) + number(3) + number(6) + number(7), number(8)
}
