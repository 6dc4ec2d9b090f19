package codexcli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Home is where a CLI keeps its configuration and its conversations, with a workspace beside them. One home for several
// runs lets a later one go on with the conversation of an earlier one.
type Home struct {
	Workspace string // the directory that the agent works in

	dir string
}

// NewHome makes a home that goes with the test. It is not under the system's temporary directory, where the CLI refuses to
// put the helpers that the agent's commands find in their PATH, such as apply_patch.
func NewHome(tb testing.TB) *Home {
	tb.Helper()
	cache, err := cacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		tb.Fatal(err)
	}
	dir, err := os.MkdirTemp(cache, "home-") //nolint:usetesting // t.TempDir is where the CLI refuses
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("remove home of codex: %v", err)
		}
	})
	h := &Home{Workspace: filepath.Join(dir, "workspace"), dir: dir}
	for _, dir := range []string{h.Workspace, h.codexDir()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	return h
}

func (h *Home) codexDir() string { return filepath.Join(h.dir, ".codex") }

// write puts the configuration and the files of a run in their places.
func (h *Home) write(cfg *Config) error {
	if err := os.WriteFile(filepath.Join(h.codexDir(), "config.toml"), []byte(cfg.toml()), 0o600); err != nil {
		return err
	}
	for name, content := range cfg.Files {
		path := filepath.Join(h.Workspace, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// rollout is the file of a conversation, which its id ends.
var rollout = regexp.MustCompile(`^rollout-.*-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl`)

// Conversation returns the id of the first conversation that was held in the home, for "codex exec resume".
func (h *Home) Conversation() (string, error) {
	found := errors.New("found")
	id := ""
	err := filepath.WalkDir(filepath.Join(h.codexDir(), "sessions"), func(path string, _ fs.DirEntry, err error) error {
		if match := rollout.FindStringSubmatch(filepath.Base(path)); match != nil {
			id = match[1]
			return found
		}
		return err
	})
	if !errors.Is(err, found) {
		return "", fmt.Errorf("find conversation of codex: %w", errors.Join(err, fs.ErrNotExist))
	}
	return id, nil
}
