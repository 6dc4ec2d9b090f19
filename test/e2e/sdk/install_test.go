package sdk

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fakeNPM puts a shell script in the place of npm and returns a function that says how often it was called.
func fakeNPM(t *testing.T, script string) func() int {
	t.Helper()
	dir := t.TempDir()
	calls := filepath.Join(dir, "calls")
	text := "#!/bin/sh\necho called >>'" + calls + "'\n" + script
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("HOME", dir)
	return func() int {
		data, err := os.ReadFile(calls)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(data), "called\n")
	}
}

func TestInstallOnce(t *testing.T) {
	calls := fakeNPM(t, "grep -q '\"openai\"' package.json && test -s package-lock.json && mkdir node_modules\n")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			kit, err := Install(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if info, err := os.Stat(kit.modules); err != nil || !info.IsDir() {
				t.Errorf("Install() = %+v (%v); want an existing directory", kit, err)
			}
		})
	}
	wg.Wait()
	if got := calls(); got != 1 {
		t.Errorf("npm was called %d times; want once", got)
	}
}

func TestInstallLeavesNothingHalf(t *testing.T) {
	fakeNPM(t, "mkdir node_modules; echo no such version >&2; exit 1\n")
	if _, err := Install(t.Context()); err == nil || !strings.Contains(err.Error(), "no such version") {
		t.Errorf("Install() error = %v; want what npm complained about", err)
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "codex-proxy-ci", "sdk", "*"))
	if err != nil || len(left) != 1 || !strings.HasSuffix(left[0], ".lock") {
		t.Errorf("left behind: %v, %v; want the lock alone", left, err)
	}
}
