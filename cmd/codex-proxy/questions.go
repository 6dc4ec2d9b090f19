package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	// questionAge is how long a question to the user is remembered. Who asks sits in front of a screen.
	questionAge = 24 * time.Hour
	// maxQuestions bounds the questions remembered; at the bound all of them go.
	maxQuestions = 1000
)

// questions remembers between two runs of a hook what a user was asked: an empty file for each, named by a digest.
type questions struct{ dir string }

// openQuestions returns the questions of this user.
func openQuestions() (*questions, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find cache: %w", err)
	}
	return &questions{dir: filepath.Join(cache, "codex-proxy", "asked")}, nil
}

// Remember implements report.Asked.
func (q *questions) Remember(key string) error {
	if err := os.MkdirAll(q.dir, 0o700); err != nil {
		return err
	}
	q.prune()
	return os.WriteFile(filepath.Join(q.dir, key), nil, 0o600)
}

// Recall implements report.Asked.
func (q *questions) Recall(key string) bool {
	file := filepath.Join(q.dir, key)
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	_ = os.Remove(file)
	return time.Since(info.ModTime()) < questionAge
}

// prune forgets what was never answered.
func (q *questions) prune() {
	entries, err := os.ReadDir(q.dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && (len(entries) >= maxQuestions || time.Since(info.ModTime()) > questionAge) {
			_ = os.Remove(filepath.Join(q.dir, entry.Name()))
		}
	}
}
