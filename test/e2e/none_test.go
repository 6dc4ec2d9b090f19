package e2e_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestNoExporter holds conversations without an exporter, by default and by name, and wants nothing to leave and nothing to be
// written: the environment points to a collector and to empty directories, which must stay unused.
func TestNoExporter(t *testing.T) {
	for name, table := range map[string]string{"default": "", "named": "[otel]\nexporter = \"none\"\n"} {
		t.Run(name, func(t *testing.T) {
			collector := receiver.Start(t, receiver.Options{})
			home := t.TempDir()
			command := serveCommand(t, newModel(t).BaseURL(), table)
			command.Dir = home
			for _, variable := range []string{
				"HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
			} {
				command.Env = append(command.Env, variable+"="+home)
			}
			command.Env = append(command.Env,
				"OTEL_EXPORTER_OTLP_ENDPOINT="+collector.GRPCEndpoint(), "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+collector.HTTPEndpoint())
			p := start(t, command)
			for range 3 {
				converse(t, p)
			}
			// The metrics count them all the same.
			scraped := p.waitMetrics(t, func(m metrics) bool { return m.observed() == 3*conversationRecords })
			if _, ok := scraped[queued]; ok {
				t.Errorf("%s is %v; want no such series", queued, scraped[queued])
			}
			p.stop()
			if got := collector.Sink.Batches(); len(got) != 0 {
				t.Errorf("%d batches left; want none", len(got))
			}
			if diff := cmp.Diff([]string{"."}, files(t, home)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// files returns the relative names of everything below a directory.
func files(t *testing.T, directory string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(directory, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(directory, name)
		found = append(found, relative)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
