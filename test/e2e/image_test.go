package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// imageState is the state directory of the image.
const imageState = "/state"

// imageRoot is where the Dockerfile gathers what becomes the root of the image.
const imageRoot = "/root-fs"

// image is what the Dockerfile says of the image that it makes.
type image struct {
	base       string // of the last stage
	build      string // the shell command that builds the binary
	copied     string // what the last stage copies
	state      string // how it copies the state directory
	volume     []string
	user       string   // uid:gid
	env        []string // KEY=value
	health     []string // the command of the health check
	entrypoint []string
	arguments  []string
}

// readImage reads the Dockerfile, as far as it is used there: no quotes in ENV, and commands as JSON.
func readImage(t *testing.T) *image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	im := &image{}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "FROM":
			im.base = rest
		case "RUN":
			if strings.Contains(rest, "go build") {
				im.build = rest
			}
		case "COPY":
			if strings.HasSuffix(rest, " "+imageState) {
				im.state = rest
			} else {
				im.copied = rest
			}
		case "VOLUME":
			im.volume = words(t, rest)
		case "USER":
			im.user = rest
		case "ENV":
			im.env = append(im.env, strings.Fields(rest)...)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(rest, "CMD ")
			im.health = words(t, command)
		case "ENTRYPOINT":
			im.entrypoint = words(t, rest)
		case "CMD":
			im.arguments = words(t, rest)
		}
	}
	return im
}

// words reads a command in JSON.
func words(t *testing.T, command string) []string {
	t.Helper()
	var list []string
	if err := json.Unmarshal([]byte(command), &list); err != nil {
		t.Fatalf("Dockerfile has a command %q; want JSON: %v", command, err)
	}
	return list
}

// ids returns the uid and gid that the image runs as.
func (im *image) ids(t *testing.T) (uid, gid uint32) {
	t.Helper()
	if _, err := fmt.Sscanf(im.user, "%d:%d", &uid, &gid); err != nil || uid == 0 || gid == 0 {
		t.Fatalf("Dockerfile has USER %s; want the numbers of a user other than root", im.user)
	}
	return uid, gid
}

// make builds the binary with the Dockerfile's own command, for this machine, into a directory that stands for the image.
func (im *image) make(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	// The user of the image must be able to enter it, and may write nowhere but where a volume will be.
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	uid, gid := im.ids(t)
	state := filepath.Join(root, imageState)
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(state, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("sh", "-c", strings.ReplaceAll(im.build, imageRoot, root))
	command.Dir = filepath.Join("..", "..")
	command.Env = append(command.Environ(), "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH, "VERSION="+builtVersion)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", im.build, err, out)
	}
	return root
}

// TestDockerfile checks what the run in a chroot cannot show.
func TestDockerfile(t *testing.T) {
	im := readImage(t)
	if im.base != "scratch" {
		t.Errorf("the image is based on %s; want scratch", im.base)
	}
	if want := "--from=build " + imageRoot + " /"; im.copied != want {
		t.Errorf("the image is made by COPY %s; want %s", im.copied, want)
	}
	if want := "--from=build --chown=" + im.user + " --chmod=0700 " + imageState + " " + imageState; im.state != want {
		t.Errorf("the state directory is made by COPY %s; want %s", im.state, want)
	}
	if !slices.Equal(im.volume, []string{imageState}) || !slices.Contains(im.env, "CODEX_PROXY_STORE_DIR="+imageState) {
		t.Errorf("volumes %q, environment %q; want the state in a volume", im.volume, im.env)
	}
	if !strings.HasPrefix(im.build, "CGO_ENABLED=0 ") {
		t.Errorf("the binary is built by %s; want it static", im.build)
	}
	if want := []string{"/codex-proxy", "health"}; !slices.Equal(im.health, want) {
		t.Errorf("the health check is %q; want %q", im.health, want)
	}
}
