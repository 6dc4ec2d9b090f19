package codexcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// The versions that the tests run unless told otherwise: the first whose telemetry npm still has, and the newest one
// known to work. A pin, so that a release of the CLI cannot break the build of a change that has nothing to do with it.
const (
	Oldest = "0.45.0"
	Newest = "0.169.0"
)

const npmPackage = "@openai/codex"

// versionPattern is what a version or dist-tag may look like, since it becomes part of a path and of a command line.
var versionPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// CLI is an installed Codex CLI.
type CLI struct {
	Version string // as released, such as "0.45.0"
	Path    string // the native binary, without the Node launcher
}

// Install returns the CLI of a version or dist-tag (such as "latest"), downloading it with npm when it is not there yet.
// Versions are kept in the user's cache directory, in codex-proxy-ci/codex. Any number of processes may install at once.
func Install(ctx context.Context, version string) (CLI, error) {
	if !versionPattern.MatchString(version) {
		return CLI{}, fmt.Errorf("install codex: %q is no version", version)
	}
	if version[0] < '0' || version[0] > '9' {
		out, err := npm(ctx, "view", npmPackage+"@"+version, "version")
		if err != nil {
			return CLI{}, fmt.Errorf("resolve codex %s: %w", version, err)
		}
		if version = strings.TrimSpace(out); !versionPattern.MatchString(version) {
			return CLI{}, fmt.Errorf("resolve codex: npm answers %q", version)
		}
	}
	cache, err := cacheDir()
	if err != nil {
		return CLI{}, err
	}
	cli, err := install(ctx, cache, version)
	if err != nil {
		return CLI{}, fmt.Errorf("install codex %s: %w", version, err)
	}
	return cli, nil
}

// cacheDir is where CLIs are kept, and where runs have their homes.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache directory: %w", err)
	}
	return filepath.Join(dir, "codex-proxy-ci", "codex"), nil
}

// install downloads beside the final directory and renames, so that a directory of that name is always complete. The lock
// spares a second process the download; the system drops it with the process that held it.
func install(ctx context.Context, root, version string) (CLI, error) {
	dir := filepath.Join(root, version)
	if _, err := os.Stat(dir); err == nil {
		return find(dir, version)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return CLI{}, err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return CLI{}, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return CLI{}, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(dir); err == nil {
		return find(dir, version)
	}
	partial, err := os.MkdirTemp(root, version+".partial-")
	if err != nil {
		return CLI{}, err
	}
	defer os.RemoveAll(partial)
	// The package's own scripts are of no use to the tests, and not run.
	if _, err := npm(ctx, "install", "--prefix", partial, "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress",
		npmPackage+"@"+version); err != nil {
		return CLI{}, err
	}
	if _, err := find(partial, version); err != nil {
		return CLI{}, err
	}
	if err := os.Rename(partial, dir); err != nil {
		return CLI{}, err
	}
	return find(dir, version)
}

// find looks for this platform's binary where the releases have put it: vendor/TRIPLE/codex/codex in the package itself,
// later vendor/TRIPLE/bin/codex in a package of the platform's own.
func find(dir, version string) (CLI, error) {
	triple, err := targetTriple()
	if err != nil {
		return CLI{}, err
	}
	for _, folder := range []string{"codex", "bin"} {
		found, err := filepath.Glob(filepath.Join(dir, "node_modules", "@openai", "codex*", "vendor", triple, folder, "codex"))
		if err != nil {
			return CLI{}, err
		}
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return CLI{Version: version, Path: path}, nil
			}
		}
	}
	return CLI{}, fmt.Errorf("find binary for %s in %s: %w", triple, dir, fs.ErrNotExist)
}

// npm runs npm and returns what it printed; the error carries what it complained about.
func npm(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "npm", append(args, "--loglevel=error")...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%w: Node.js with npm is needed", err)
	}
	if err != nil {
		return "", fmt.Errorf("run npm %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}
