package main

import (
	"errors"
	"time"
)

// account is a reading of all CPU clocks.
type account struct {
	at                    time.Time
	proxy, upstream, sink Usage
	load                  time.Duration
	busy, stolen          time.Duration
}

func (run Run) account() (account, error) {
	a := account{at: time.Now(), load: ownCPU()}
	var errs [3]error
	a.proxy, errs[0] = usageOf(run.ProxyPID)
	a.upstream, errs[1] = usageOf(run.UpstreamPID)
	a.sink, errs[2] = usageOf(run.SinkPID)
	a.busy, a.stolen = machineCPU()
	return a, errors.Join(errs[:]...)
}

// since is the part of a result that the clocks tell.
func (a account) since(b account) Result {
	result := Result{
		Seconds:     a.at.Sub(b.at).Seconds(),
		Window:      a.at.Sub(b.at).Seconds(),
		ProxyCPU:    (a.proxy.CPU - b.proxy.CPU).Seconds(),
		UpstreamCPU: (a.upstream.CPU - b.upstream.CPU).Seconds(),
		SinkCPU:     (a.sink.CPU - b.sink.CPU).Seconds(),
		LoadCPU:     (a.load - b.load).Seconds(),
		StolenCPU:   (a.stolen - b.stolen).Seconds(),
		RSSBefore:   b.proxy.RSS,
		RSS:         a.proxy.RSS,
		PSS:         a.proxy.PSS,
		Peak:        a.proxy.Peak,
	}
	own := result.ProxyCPU + result.UpstreamCPU + result.LoadCPU + result.SinkCPU
	result.ForeignCPU = max(0, (a.busy-b.busy).Seconds()-own)
	return result
}
