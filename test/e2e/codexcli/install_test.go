package codexcli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fakeNPM puts a script in place of npm that notes its calls, and a cache directory of the test's own. It returns a
// function that lists the calls.
func fakeNPM(t *testing.T, script string) (calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	text := "#!/bin/sh\necho \"$*\" >>'" + log + "'\n" + script
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("HOME", dir)
	return func() []string {
		data, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	}
}

// putBinary is the part of a fake npm that installs: $3 is the directory after "install --prefix".
func putBinary(t *testing.T, place string) string {
	t.Helper()
	triple, err := targetTriple()
	if err != nil {
		t.Skip(err)
	}
	path := `"$3"/node_modules/@openai/` + strings.ReplaceAll(place, "TRIPLE", triple)
	return "mkdir -p $(dirname " + path + ") && : >" + path + "\n"
}

func TestInstallOnce(t *testing.T) {
	for _, place := range []string{"codex/vendor/TRIPLE/codex/codex", "codex-linux-x64/vendor/TRIPLE/bin/codex"} {
		calls := fakeNPM(t, putBinary(t, place))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				cli, err := Install(t.Context(), "1.2.3")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(cli.Path); err != nil || cli.Version != "1.2.3" {
					t.Errorf("Install() = %+v (%v); want an existing binary of 1.2.3", cli, err)
				}
			})
		}
		wg.Wait()
		if got := calls(); len(got) != 1 || !strings.Contains(got[0], "@openai/codex@1.2.3") {
			t.Errorf("npm was called with %q; want one call for @openai/codex@1.2.3", got)
		}
	}
}

func TestInstallResolvesTag(t *testing.T) {
	calls := fakeNPM(t, "[ $1 = view ] && { echo 9.8.7; exit; }\n"+putBinary(t, "codex/vendor/TRIPLE/codex/codex"))
	cli, err := Install(t.Context(), "latest")
	if err != nil {
		t.Fatal(err)
	}
	if cli.Version != "9.8.7" {
		t.Errorf("Install(latest) is version %s; want 9.8.7", cli.Version)
	}
	if got := calls(); len(got) != 2 || !strings.Contains(got[1], "@openai/codex@9.8.7") {
		t.Errorf("npm was called with %q; want the version that latest stands for installed", got)
	}
}

func TestInstallLeavesNothingHalf(t *testing.T) {
	tests := map[string]struct{ script, want string }{
		"npm fails":  {`mkdir -p "$3/node_modules"; echo no such version >&2; exit 1`, "no such version"},
		"no binary":  {`mkdir -p "$3/node_modules"`, "find binary"},
		"not a file": {strings.Replace(putBinary(t, "codex/vendor/TRIPLE/codex/codex"), ": >", "mkdir ", 1), "find binary"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fakeNPM(t, test.script)
			_, err := Install(t.Context(), "1.2.3")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Install() error = %v; want one with %q", err, test.want)
			}
			dir, err := cacheDir()
			if err != nil {
				t.Fatal(err)
			}
			left, err := filepath.Glob(filepath.Join(dir, "1.2.3*"))
			if err != nil || len(left) != 1 || !strings.HasSuffix(left[0], ".lock") {
				t.Errorf("left behind: %v, %v; want the lock alone", left, err)
			}
		})
	}
}

func TestInstallRefusesWhatIsNoVersion(t *testing.T) {
	calls := fakeNPM(t, "")
	for _, version := range []string{"", "../1.2.3", "-g", "1.2.3 evil", "a/b"} {
		if _, err := Install(t.Context(), version); err == nil {
			t.Errorf("Install(%q) succeeded", version)
		}
	}
	if got := calls(); got[0] != "" {
		t.Errorf("npm was called with %q", got)
	}
}
