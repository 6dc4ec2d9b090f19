package e2e_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// browserTimeout bounds one page, whose attempts take at most five seconds each.
const browserTimeout = 2 * time.Minute

// browser returns a Chromium, or skips the test.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium is installed; on Debian: apt-get install chromium-headless-shell")
	return ""
}

// attacker serves the page that attacks a proxy, under two names: 127.0.0.1, where it is a program on the same machine, and
// evil.test, where it is a site anywhere, which the browser finds at 127.0.0.2.
type attacker struct {
	server *http.Server
	port   string
	told   chan map[string]string
}

func newAttacker(t *testing.T) *attacker {
	t.Helper()
	page, err := os.ReadFile("testdata/browser/attack.html")
	if err != nil {
		t.Fatal(err)
	}
	a := &attacker{told: make(chan map[string]string, 1)}
	a.server = &http.Server{ReadHeaderTimeout: browserTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			// Over the connection of a page that is rebound nothing else goes.
			w.Header().Set("Connection", "close")
			_, _ = w.Write(page)
		case "/tell":
			var results map[string]string
			if json.NewDecoder(r.Body).Decode(&results) == nil {
				a.told <- results
			}
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})}
	a.port = a.listen(t, "127.0.0.1:0")
	if a.listen(t, "127.0.0.2:"+a.port) == "" {
		t.Skip("this machine has no 127.0.0.2, which is the address of the page's site")
	}
	t.Cleanup(func() { _ = a.server.Close() })
	return a
}

// listen serves at an address, too, and returns its port, or nothing where it cannot.
func (a *attacker) listen(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Log(err)
		return ""
	}
	go func() { _ = a.server.Serve(listener) }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// page is the address of the page at an origin, with the proxy it attacks.
func (a *attacker) page(origin, proxy string) string {
	return origin + "/page?" + url.Values{"proxy": {proxy}, "tell": {"http://127.0.0.1:" + a.port + "/tell"}}.Encode()
}

// visit has the browser display a page and returns what the page came to know.
func (a *attacker) visit(t *testing.T, browser, page string) map[string]string {
	t.Helper()
	var output strings.Builder
	command := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server", "--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP evil.test 127.0.0.2, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
		"--remote-debugging-port=0", page) // which keeps it open
	command.Stderr = &output
	// Its helpers end with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	defer func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		<-ended
	}()
	select {
	case results := <-a.told:
		return results
	case err := <-ended:
		ended <- err
		t.Fatalf("browser ended: %v\n%s", err, output.String())
	case <-time.After(browserTimeout):
		t.Fatal("the page told nothing")
	}
	return nil
}

// rebind listens at the address of evil.test with the proxy's port. The first connection gets the page, all others the
// proxy: what happens to a page whose name has become the name of this machine.
func (a *attacker) rebind(t *testing.T, port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	var paged atomic.Bool
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				first := make([]byte, 4096)
				n, _ := conn.Read(first) // a connection that was opened ahead brings nothing
				target := "127.0.0.1:" + port
				if strings.HasPrefix(string(first[:n]), "GET /page") && paged.CompareAndSwap(false, true) {
					target = "127.0.0.1:" + a.port
				}
				splice(conn, target, first[:n])
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); conns.Wait() })
}

// splice connects conn, which first came over already, with the server at target.
func splice(conn net.Conn, target string, first []byte) {
	defer conn.Close()
	server, err := net.Dial("tcp", target)
	if err != nil || len(first) == 0 {
		return
	}
	defer server.Close()
	_, _ = server.Write(first)
	go func() {
		_, _ = io.Copy(server, conn)
		_ = server.Close()
	}()
	_, _ = io.Copy(conn, server)
}
