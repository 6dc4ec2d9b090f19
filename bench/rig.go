package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// rig starts and stops what a comparison needs.
type rig struct {
	proxyCPUs, rigCPUs string
	logs               string // folder, or empty
	proxy              string // codex-proxy's binary, or empty

	self        string
	dir         string // scratch
	plain, tls  string // URLs of the upstream
	certificate string // file
	sinkURL     string
	upstream    *process
	sink        *process
}

func (r *rig) start(ctx context.Context) error {
	var err error
	if r.self, err = os.Executable(); err != nil {
		return err
	}
	if r.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	var addrs [3]string
	for i := range addrs {
		if addrs[i], err = freeAddr(); err != nil {
			return err
		}
	}
	r.plain, r.tls, r.sinkURL = "http://"+addrs[0], "https://"+addrs[1], "http://"+addrs[2]
	r.certificate = filepath.Join(r.dir, "upstream.pem")
	command := fmt.Sprintf("%s upstream -listen %s -tls-listen %s -cert %s", r.self, addrs[0], addrs[1], r.certificate)
	if r.upstream, err = startProcess(command, r.rigCPUs, nil, os.Stderr); err != nil {
		return err
	}
	if r.sink, err = startProcess(r.self+" sink -listen "+addrs[2], r.rigCPUs, nil, os.Stderr); err != nil {
		return err
	}
	if err := r.upstream.ready(ctx, r.plain+"/healthz"); err != nil {
		return err
	}
	return r.sink.ready(ctx, r.sinkURL+"/healthz")
}

func (r *rig) stop() {
	for _, p := range []*process{r.upstream, r.sink} {
		if p != nil {
			p.stop()
		}
	}
	os.RemoveAll(r.dir)
}

// with starts a target for a mode, hands it to do and stops it.
func (r *rig) with(ctx context.Context, target Target, mode Mode, do func(client *Client, keeper *keeper, pid int) error) error {
	dir, err := os.MkdirTemp(r.dir, "target-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	e, err := r.expander(target, mode, dir)
	if err != nil {
		return err
	}
	if err := target.render(e, dir); err != nil {
		return err
	}
	url, command, health := e.expand(target.URL), e.expand(target.Start), e.expand(target.Health)
	client := newClient(url, 10_000, nil)
	if mode.TLS {
		trust, err := trusting(r.certificate)
		if err != nil {
			return err
		}
		client = newClient(url, 10_000, trust)
	}
	defer client.close()
	if target.Model != "" {
		client.Model = target.Model
	}
	client.Header = e.expandMap(target.Headers)
	env, books := e.expandMap(target.Env), r.keeper(target, e)
	if err := e.err(); err != nil {
		return err
	}
	if command == "" {
		return do(client, nil, 0)
	}
	output, err := r.output(target)
	if err != nil {
		return err
	}
	defer output.Close()
	cpus := r.proxyCPUs
	if target.CPUs != "" {
		cpus = target.CPUs
	}
	process, err := startProcess(command, cpus, env, output)
	if err != nil {
		return err
	}
	defer process.stop()
	if health == "" {
		health = url
	}
	if err := process.ready(ctx, health); err != nil {
		return err
	}
	if err := r.resetSink(ctx); err != nil {
		return err
	}
	return do(client, books, process.pid())
}

func (r *rig) expander(target Target, mode Mode, dir string) (*expander, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	upstream := r.plain
	if mode.TLS {
		upstream = r.tls
	}
	_, upstreamAddr, _ := strings.Cut(upstream, "://")
	return &expander{vars: map[string]string{
		"PORT": port, "UPSTREAM": upstream, "UPSTREAM_ADDR": upstreamAddr, "CA": r.certificate,
		"SINK": r.sinkURL, "DIR": dir, "SELF": r.self, "PROXY": r.proxy,
	}, more: target.Vars}, nil
}

// keeper returns the keeper of a target's books, nil if it has none.
func (r *rig) keeper(target Target, e *expander) *keeper {
	if target.Ledger == "" {
		return nil
	}
	k := &keeper{ledger: e.expand(target.Ledger)}
	if target.Sink {
		k.sink = r.sinkURL
	}
	return k
}

// output is where a target writes.
func (r *rig) output(target Target) (io.WriteCloser, error) {
	if r.logs == "" {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	return os.Create(filepath.Join(r.logs, target.Name+".log"))
}

func (r *rig) resetSink(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.sinkURL+"/reset", http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func (r *rig) measure(ctx context.Context, target Target, mode Mode, d time.Duration) (Result, error) {
	var result Result
	err := r.with(ctx, target, mode, func(client *Client, books *keeper, pid int) error {
		var err error
		result, err = Run{
			Client: client, Mode: mode, Duration: d, Upstream: r.plain, Keeper: books,
			ProxyPID: pid, UpstreamPID: r.upstream.pid(), SinkPID: r.sink.pid(),
		}.Do(ctx)
		return err
	})
	return result, err
}
