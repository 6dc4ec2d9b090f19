//go:build linux

package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// Where the image has its trust roots, and where a container's mounts are in the tests.
const (
	systemRoots = "/etc/ssl/certs/ca-certificates.crt"
	modelCA     = "/model-ca.pem"
	collectorCA = "/collector-ca.pem"
	mountedFile = "/codex-proxy.toml"
)

// TestImage runs the image's binary as the image's user in a root directory that has nothing else but what the image has and
// what would be mounted: between an agent, a model and a collector that both speak TLS.
func TestImage(t *testing.T) {
	ct := newContainer(t)
	im := ct.image
	for _, trusted := range []string{"by the system's roots", "as configured"} {
		t.Run("trust "+trusted, func(t *testing.T) {
			model, err := responsestest.Start(responsestest.Options{TB: t, TLS: true})
			if err != nil {
				t.Fatal(err)
			}
			model.Any(responsestest.Stream(conversationStream()...))
			collector := receiver.Start(t, receiver.Options{TLS: true})
			authority, err := os.ReadFile(collector.CAFile())
			if err != nil {
				t.Fatal(err)
			}
			upstream, e := "[upstream]\nbase_url = "+strconv.Quote(model.BaseURL())+"\n", exporter{}
			if trusted == "as configured" {
				ct.mount(t, modelCA, string(model.CAPEM()))
				ct.mount(t, collectorCA, string(authority))
				upstream += "ca_certificate = " + strconv.Quote(modelCA) + "\n"
				e.caFile = collectorCA
			} else {
				ct.mount(t, systemRoots, string(model.CAPEM())+string(authority))
			}
			ct.mount(t, mountedFile, upstream+ways()[0].table(collector, e))
			want := files(t, ct.root)
			if !slices.Contains(want, "state/state.db") { // The second proxy finds what the first one kept.
				at := slices.Index(want, "state") + 1
				want = slices.Insert(want, at, "state/lock", "state/state.db")
			}

			p := start(t, ct.command(slices.Concat(im.entrypoint, im.arguments, []string{"--config", mountedFile}), "0.0.0.0:0"))
			ct.checkProcess(t, p)
			converse(t, p)
			checkConversation(t, waitRecords(t, collector.Sink, conversationRecords))
			if out, err := ct.command(im.health, "0.0.0.0:"+p.port).CombinedOutput(); err != nil {
				t.Errorf("health check of a running proxy: %v; want exit code 0: %s", err, out)
			}
			p.stop()
			exit := (*exec.ExitError)(nil)
			if out, err := ct.command(im.health, "0.0.0.0:"+p.port).CombinedOutput(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("health check of a proxy that is gone: %v; want exit code 1: %s", err, out)
			}
			if diff := cmp.Diff(want, files(t, ct.root)); diff != "" {
				t.Errorf("files in the image (-want +got):\n%s", diff)
			}
		})
	}
}

// TestImageWritesNothing runs the image without an exporter where it could write anywhere.
func TestImageWritesNothing(t *testing.T) {
	ct := newContainer(t)
	im := ct.image
	ct.mount(t, mountedFile, "[upstream]\nbase_url = "+strconv.Quote(newModel(t).BaseURL())+"\n")
	for _, name := range []string{"tmp", "var", "var/lib"} {
		if err := os.Mkdir(filepath.Join(ct.root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := files(t, ct.root)
	for _, name := range before {
		if err := os.Chown(filepath.Join(ct.root, name), int(ct.uid), int(ct.gid)); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, ct.command(slices.Concat(im.entrypoint, im.arguments, []string{"--config", mountedFile}), "0.0.0.0:0"))
	converse(t, p)
	p.stop()
	if diff := cmp.Diff(before, files(t, ct.root)); diff != "" {
		t.Errorf("files in the image (-before +after):\n%s", diff)
	}
}

// TestImageRefusesToListen starts the image without the word that its port is published with care.
func TestImageRefusesToListen(t *testing.T) {
	ct := newContainer(t)
	im := ct.image
	command := ct.command(slices.Concat(im.entrypoint, im.arguments), "0.0.0.0:0")
	command.Env = slices.DeleteFunc(command.Env, func(variable string) bool { return strings.HasPrefix(variable, "CODEX_PROXY_ALLOW_REMOTE=") })
	out, err := command.CombinedOutput()
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() == 0 || !strings.Contains(string(out), "allow_remote") {
		t.Errorf("the proxy ended with %v; want it to refuse and to name allow_remote: %s", err, out)
	}
}

// container stands for a container engine.
type container struct {
	image    *image
	root     string
	uid, gid uint32
}

// newContainer builds the image and checks the version that its binary was given. It skips the test where nothing can be run
// in a chroot.
func newContainer(t *testing.T) *container {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not root, so that nothing can be run in a chroot")
	}
	c := &container{image: readImage(t)}
	c.uid, c.gid = c.image.ids(t)
	c.root = c.image.make(t)
	out, err := c.command(append(slices.Clone(c.image.entrypoint), "--version"), "").CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("root may not run anything in a chroot here: %v", err)
	}
	if err != nil || !strings.Contains(string(out), builtVersion) {
		t.Fatalf("--version: %v, %q; want the version that was built, %s", err, out, builtVersion)
	}
	return c
}

// command returns a command that runs inside, with listen in the place of the image's address.
func (c *container) command(words []string, listen string) *exec.Cmd {
	command := exec.Command(words[0], words[1:]...)
	command.Env = append(slices.Clone(c.image.env), "CODEX_PROXY_LISTEN="+listen, "CODEX_PROXY_ALLOW_REMOTE=true")
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Chroot: c.root, Credential: &syscall.Credential{Uid: c.uid, Gid: c.gid}}
	return command
}

// checkProcess checks that a proxy runs inside and as the image's user.
func (c *container) checkProcess(t *testing.T, p *proxy) {
	t.Helper()
	directory := "/proc/" + strconv.Itoa(p.process.Pid)
	if inside, err := os.Readlink(directory + "/root"); err != nil || inside != c.root {
		t.Errorf("the proxy's root is %s, %v; want %s", inside, err, c.root)
	}
	status, err := os.ReadFile(directory + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]uint32{"Uid": c.uid, "Gid": c.gid} {
		if want := fmt.Sprintf("\n%s:\t%d\t%d\t%d\t%d\n", name, id, id, id, id); !strings.Contains(string(status), want) {
			t.Errorf("the proxy's status has no line %q:\n%s", want, status)
		}
	}
}

// mount puts a file into the container.
func (c *container) mount(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(name) })
}
