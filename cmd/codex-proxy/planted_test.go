package main

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// planted are credentials, by the place they are put to. Those of places that hold credentials look like nothing; those in
// texts look like what they are.
type planted map[string]string

func (p planted) put(place string) string {
	p[place] = "canary" + strings.ReplaceAll(strings.ReplaceAll(place, " ", ""), "-", "") + "Zx81Qw"
	return p[place]
}

// token puts a credential that is known by its looks.
func (p planted) token(place string) string {
	if secret, ok := p[place]; ok {
		return secret
	}
	kinds := []string{"gh" + "p_%s", "sk-" + "proj-%s", "sk-" + "ant-api03-%s", "np" + "m_%s", "glp" + "at-%s"}
	number := fmt.Sprintf("%02d", len(p))
	body := "Ab3dE6gH9jK2mN5pQ8sT" + number + "vX4yZ7aC1eF0iL"[:14]
	p[place] = fmt.Sprintf(kinds[len(p)%len(kinds)], body)
	return p[place]
}

// surfaces are what the process told, by where.
type surfaces struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (s *surfaces) add(name string, told []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string][]byte{}
	}
	s.all[name] = append(append(s.all[name], told...), '\n')
}

// writer returns a writer to a surface.
func (s *surfaces) writer(name string) io.Writer {
	return writerFunc(func(p []byte) (int, error) { s.add(name, p); return len(p), nil })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// check looks for credentials everywhere, as they are and in the encodings that this program writes.
func (s *surfaces) check(t *testing.T, credentials planted) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.all)) {
		for place, secret := range credentials {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)], url.QueryEscape(secret)} {
				if at := bytes.Index(s.all[name], []byte(form)); at >= 0 {
					t.Errorf("the %s has the credential of %s: %.200q", name, place, s.all[name][max(0, at-100):])
				}
			}
		}
	}
}

// files adds all that is below a directory: as it is on disk, and what is compressed in a database.
func (s *surfaces) files(t *testing.T, dir string) (payloads int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.add("file "+entry.Name(), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	database, err := sql.Open("sqlite", filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for _, table := range []string{"batches", "held", "history"} {
		rows, err := database.Query("SELECT payload FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var payload []byte
			if err := rows.Scan(&payload); err != nil {
				t.Fatal(err)
			}
			plain, err := decoder.DecodeAll(payload, nil)
			if err != nil {
				t.Fatal(err)
			}
			payloads++
			s.add("table "+table, plain)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return payloads
}
