package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout bounds the health probe.
const healthTimeout = 2 * time.Second

func (a *app) healthCommand() *cobra.Command {
	var source source
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the proxy at the configured address whether it is alive",
		Args:  cobra.NoArgs,
		RunE: failed(func(cmd *cobra.Command, _ []string) error {
			// Whether the proxy may listen there is the proxy's question, and its file may be known to it alone.
			source.anywhere = true
			cfg, _, err := source.load()
			if err != nil {
				return err
			}
			return checkHealth(cmd.Context(), cfg.Listen)
		}),
	}
	source.flags(cmd)
	return cmd
}

// checkHealth returns an error unless the proxy that listens on listen is alive.
func checkHealth(ctx context.Context, listen string) error {
	address, err := localURL(listen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/healthz", http.NoBody)
	if err != nil {
		return fmt.Errorf("check health: %w", err)
	}
	res, err := newClient().Do(req)
	if err != nil {
		return fmt.Errorf("check health: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("check health: status %d", res.StatusCode)
	}
	return nil
}

// newClient returns a client for one request to a proxy. The environment's proxy has no business there.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// localURL returns the URL at which this machine reaches a listener.
func localURL(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("find listener: %w", err)
	}
	switch ip := net.ParseIP(host); {
	case host == "", ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
