package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/codex-proxy/codex-proxy/config"
)

// source says where a command takes the configuration from, beside the environment.
type source struct {
	file     string
	listen   string
	upstream string
	anywhere bool // any address will do: nobody is going to listen
}

// flags declares the flags of a source on a command.
func (s *source) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.file, "config", "", "TOML configuration `file`")
	flags.StringVar(&s.listen, "listen", "", "`address` to listen on, in place of the configured one")
	flags.StringVar(&s.upstream, "upstream", "", "base `URL` of the API, in place of the configured one")
}

// load returns the configuration.
func (s source) load() (*config.Config, config.Warnings, error) {
	overrides := map[string]string{}
	if s.listen != "" {
		overrides["listen"] = s.listen
	}
	if s.upstream != "" {
		overrides["upstream.base_url"] = s.upstream
	}
	if s.anywhere {
		overrides["allow_remote"] = "true"
	}
	return config.Load(config.Options{File: s.file, Env: os.Environ(), Overrides: overrides})
}
