package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// smuggling is one case of the corpus; testdata/smuggling/README has the format.
type smuggling struct {
	name     string
	bytes    string   // what the client sends before the request that follows
	client   []string // the statuses it gets
	upstream []string // the requests that arrive
	has      []string // bytes that arrive
}

// after is what a client sends behind every case: what is left of a request that two parties understand in two ways would be
// found in front of it.
const after = "GET /v1/after HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"

// readCorpus reads a file of cases.
func readCorpus(t *testing.T, file string) []smuggling {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []smuggling
	for i, line := range strings.Split(string(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		if word == "===" {
			cases = append(cases, smuggling{name: rest})
			continue
		}
		if word == "" || word == "#" {
			continue
		}
		if len(cases) == 0 {
			t.Fatalf("%s:%d: before the first case", file, i+1)
		}
		c := &cases[len(cases)-1]
		switch word {
		case ">":
			c.bytes += unescape(t, rest)
		case "client":
			c.client = strings.Fields(rest)
		case "upstream":
			c.upstream = append(c.upstream, rest)
		case "has":
			c.has = append(c.has, unescape(t, rest))
		default:
			t.Fatalf("%s:%d: what is %q?", file, i+1, word)
		}
	}
	return cases
}

// unescape resolves the escapes of Go's string literals.
func unescape(t *testing.T, text string) string {
	t.Helper()
	plain, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return plain
}

// TestSmuggling sends the corpus to the listener and looks at what arrives at the upstream. Each request is refused, or it
// arrives in a form that can only be understood in one way; in either case the next request is the next one for everybody.
func TestSmuggling(t *testing.T) {
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "")
	files, err := filepath.Glob("testdata/smuggling/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob() = %v, %v", files, err)
	}
	for _, file := range files {
		for _, c := range readCorpus(t, file) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+c.name, func(t *testing.T) {
				statuses, answers := exchangeRaw(t, p.url, c.bytes+after)
				raw, seen, violations := upstream.take()
				if diff := cmp.Diff(c.client, statuses); diff != "" {
					t.Errorf("statuses (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.upstream, seen); diff != "" {
					t.Errorf("requests at the upstream (-want +got):\n%s\nof %q", diff, raw)
				}
				if violations != nil {
					t.Errorf("violations %q at the upstream in %q", violations, raw)
				}
				for _, want := range c.has {
					if !strings.Contains(raw, want) {
						t.Errorf("%q arrived; want %q in it", raw, want)
					}
				}
				if !inOrder(answers, seen) {
					t.Errorf("the client got %q; want the answers to %q", answers, seen)
				}
				// The connections to the upstream are shared. Others are not answered for this client.
				for range 2 {
					if _, got := send(t, http.MethodGet, p.url+"/v1/next", "", nil); got != "GET /v1/next" {
						t.Errorf("the next client got %q; want its own answer", got)
					}
				}
				if _, seen, violations := upstream.take(); len(seen) != 2 || violations != nil {
					t.Errorf("then %q arrived with violations %q; want two requests", seen, violations)
				}
			})
		}
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d; want 0", code)
	}
}

// inOrder reports whether some are among all, in the same order. What is refused after all has no answer of the upstream.
func inOrder(some, all []string) bool {
	for _, one := range some {
		at := slices.Index(all, one)
		if at < 0 {
			return false
		}
		all = all[at+1:]
	}
	return true
}

// exchangeRaw sends bytes and reads responses until the connection ends. It returns their statuses, and the bodies of those
// with 200, which the upstream wrote.
func exchangeRaw(t *testing.T, url, text string) (statuses, answers []string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Logf("write: %v", err) // The server may have refused the beginning already.
	}
	got, err := io.ReadAll(conn)
	if err != nil && len(got) == 0 {
		t.Fatalf("read: %v", err)
	}
	r := bufio.NewReader(bytes.NewReader(got))
	for {
		if _, err := r.Peek(1); err != nil {
			return statuses, answers
		}
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("read response: %v in %q", err, got)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatalf("read body: %v in %q", err, got)
		}
		statuses = append(statuses, strconv.Itoa(response.StatusCode))
		if response.StatusCode == http.StatusOK {
			answers = append(answers, string(body))
		}
	}
}
