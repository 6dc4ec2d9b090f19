package config

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

const envPrefix = "CODEX_PROXY_"

// setting is a checked value for one key from outside the file.
type setting struct {
	node  *node
	value any
}

// environment turns the form of os.Environ into a map. Of two entries the later one counts, as for a process.
func environment(entries []string) map[string]string {
	env := make(map[string]string, len(entries))
	for _, entry := range entries {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

// environment checks the CODEX_PROXY_ variables that are set and not empty.
func (c *checker) environment(tree *node, env map[string]string) []setting {
	var set []setting
	for _, n := range tree.settings() {
		if text := env[n.variable()]; text != "" {
			set = c.setting(set, n, n.variable(), text)
		}
	}
	return set
}

// overrides checks values given by TOML path.
func (c *checker) overrides(tree *node, overrides map[string]string) []setting {
	var set []setting
	settings := tree.settings()
	paths := make([]string, len(settings))
	for i, n := range settings {
		paths[i] = n.path
	}
	for _, path := range slices.Sorted(maps.Keys(overrides)) {
		i := slices.Index(paths, path)
		if i < 0 {
			c.report.problem(quoteLong(path), "unknown setting on the command line", didYouMean(suggest(path, paths)))
			continue
		}
		set = c.setting(set, settings[i], "the command line", overrides[path])
	}
	return set
}

// replaced returns the paths of the settings that have a variable or an override.
func replaced(tree *node, env, overrides map[string]string) map[string]bool {
	paths := map[string]bool{}
	for _, n := range tree.settings() {
		_, overridden := overrides[n.path]
		paths[n.path] = overridden || env[n.variable()] != ""
	}
	return paths
}

// setting checks one value written as text and appends it when it is right. While it is checked, and if it is right
// from then on, problems with the key name source.
func (c *checker) setting(set []setting, n *node, source, text string) []setting {
	previous, had := c.report.sources[n.path]
	c.report.sources[n.path] = source
	if value, ok := c.parse(n, text); ok {
		if checked, ok := c.value(n, value); ok {
			return append(set, setting{node: n, value: checked})
		}
	}
	delete(c.report.sources, n.path)
	if had {
		c.report.sources[n.path] = previous
	}
	return set
}

// parse turns text into the value TOML would have. Lists are separated by commas; an exporter is a name or an inline
// table.
func (c *checker) parse(n *node, text string) (any, bool) {
	switch n.kind {
	case kindBool:
		b, err := strconv.ParseBool(strings.TrimSpace(text))
		if err != nil {
			c.report.problem(n.path, "want true or false", "")
		}
		return b, err == nil
	case kindInt:
		i, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			c.report.problem(n.path, "want an integer", "")
		}
		return i, err == nil
	case kindList:
		items := []any{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		return items, true
	case kindExporter:
		return c.parseExporter(n, strings.TrimSpace(text))
	default:
		return text, true
	}
}

func (c *checker) parseExporter(n *node, text string) (any, bool) {
	if !strings.HasPrefix(text, "{") {
		return text, true
	}
	if len(text) > maxFileBytes {
		c.report.problem(n.path, "is larger than 1 MiB", "")
		return nil, false
	}
	var document map[string]any
	err := toml.Unmarshal([]byte("exporter = "+text), &document)
	// More than one key: something followed the table.
	if err != nil || len(document) != 1 {
		c.report.problem(n.path, "is no inline TOML table", exporterHint)
		return nil, false
	}
	return document["exporter"], true
}

// serviceLink matches what Kubernetes and Docker put into every container's environment for a service whose name
// begins with codex-proxy. Those variables are nobody's settings.
var serviceLink = regexp.MustCompile(`^CODEX_PROXY_(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)$`)

// strangers reports variables with the prefix that are no setting, and that no reference used.
func (c *checker) strangers(tree *node, env map[string]string) {
	settings := tree.settings()
	known := make([]string, len(settings))
	for i, n := range settings {
		known[i] = strings.TrimPrefix(n.variable(), envPrefix)
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		rest, ours := strings.CutPrefix(name, envPrefix)
		switch {
		case !ours, env[name] == "", slices.Contains(known, rest), c.references.used[name]:
		case serviceLink.MatchString(name):
		case strings.HasSuffix(name, "_PORT") && strings.Contains(env[name], "://"):
			// The remaining service link, CODEX_PROXY_PORT=tcp://10.0.0.1:8787.
		default:
			meant := suggest(rest, known)
			if meant != "" {
				meant = envPrefix + meant
			}
			c.report.problem(quoteLong(name), "unknown environment variable", didYouMean(meant))
		}
	}
}
