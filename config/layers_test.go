package config

import (
	"testing"
)

// TestViperTraps has one row for each way viper 1.21 was seen to lose or bend a setting.
func TestViperTraps(t *testing.T) {
	const grpc = `[otel]
exporter = { otlp-grpc = { endpoint = "https://h:4317", headers = { "X-Api-Key" = "a", "x.dotted.header" = "b" } } }
`
	exporterFromEnv := "CODEX_PROXY_OTEL_EXPORTER="
	tests := []struct {
		name, text string
		env        string
		check      func(*Config) bool
		problem    string
	}{
		{
			name: "keys keep their case", text: grpc,
			check: func(c *Config) bool { return c.OTel.Exporter.GRPC.Headers["X-Api-Key"] == "a" },
		},
		{
			name: "a dot does not tear a key", text: grpc,
			check: func(c *Config) bool { return c.OTel.Exporter.GRPC.Headers["x.dotted.header"] == "b" },
		},
		{
			name: "an empty table does not vanish", text: "otel.exporter = { otlp-grpc = {} }",
			problem: "otel.exporter.otlp-grpc.endpoint: is missing",
		},
		{
			name: "a variable sets a key that only has a default", env: "CODEX_PROXY_LOG_LEVEL=debug",
			check: func(c *Config) bool { return c.Log.Level == "debug" },
		},
		{
			name: "a variable can be a boolean", env: "CODEX_PROXY_OTEL_LOG_USER_PROMPT=true",
			check: func(c *Config) bool { return c.OTel.LogUserPrompt },
		},
		{
			name: "a variable can be an integer", env: "CODEX_PROXY_LIVE_MAX_CLIENTS=7",
			check: func(c *Config) bool { return c.Live.MaxClients == 7 },
		},
		{
			name: "a variable can be a duration", env: "CODEX_PROXY_SERVER_IDLE_TIMEOUT=1h",
			check: func(c *Config) bool { return c.Server.IdleTimeout.Hours() == 1 },
		},
		{
			name: "a variable can be a list", env: "CODEX_PROXY_GUARD_ALLOWED_HOSTS=a.example, b.example,",
			check: func(c *Config) bool { return len(c.Guard.AllowedHosts) == 2 && c.Guard.AllowedHosts[1] == "b.example" },
		},
		{
			name: "a file does not get weak typing", text: "otel.log_user_prompt = 1",
			problem: "otel.log_user_prompt: want true or false, got an integer",
		},
		{
			name: "a scalar is no list", text: "guard.allowed_hosts = 'a'",
			problem: "guard.allowed_hosts: want an array of strings, got a string",
		},
		{name: "an unknown key is an error", text: "[nonsense]\na = 1", problem: "nonsense: unknown key"},
		{
			name: "keys of two spellings do not win silently", text: "listen = '127.0.0.1:1'\nLISTEN = '127.0.0.1:2'",
			problem: "LISTEN: differs only in case from listen (keep one of them)",
		},
		{
			name: "a key in another case is not taken", text: "LISTEN = '127.0.0.1:2'",
			problem: "LISTEN: unknown key (did you mean listen?)",
		},
		{
			name: "a table in the file wins over the default name", text: grpc,
			check: func(c *Config) bool { return !c.OTel.Exporter.None() },
		},
		{
			name: "a name in the environment wins over a table", text: grpc, env: exporterFromEnv + "none",
			check: func(c *Config) bool { return c.OTel.Exporter.None() },
		},
		{
			name: "a table in the environment replaces the one in the file", text: grpc,
			env: exporterFromEnv + ` { otlp-http = { endpoint = "https://h/v1/logs", protocol = "json", headers = { "X.Y" = "z" } } }`,
			check: func(c *Config) bool {
				e := c.OTel.Exporter
				return e.GRPC == nil && e.HTTP.Endpoint == "https://h/v1/logs" && len(e.HTTP.Headers) == 1 && e.HTTP.Headers["X.Y"] == "z"
			},
		},
		{
			name: "a key with viper's delimiter is no path", text: `"upstream::base_url" = "https://h"`,
			problem: `"upstream::base_url": unknown key`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg, _, err := Load(Options{File: document(t, test.text), Env: []string{test.env}})
			if test.problem != "" {
				wantProblems(t, err, test.problem)
				return
			}
			wantProblems(t, err)
			if err == nil && !test.check(cfg) {
				t.Errorf("configuration = %+v", cfg)
			}
		})
	}
}
