package main

import (
	"context"
	"errors"
	"time"
)

// Books compares what the proxy says it observed with what the OTLP receiver got, since the proxy began.
type Books struct {
	Observed  int64 `json:"observed"`
	Delivered int64 `json:"delivered"`
	Queued    int64 `json:"queued"`
	Lost      int64 `json:"lost"`     // dropped or rejected
	Received  int64 `json:"received"` // records that the receiver counted
	Distinct  int64 `json:"distinct"` // of them, by event.id
	Live      bool  `json:"live"`     // there is a receiver
}

// live reports whether a receiver exists; results of older builds tell it only by what it got.
func (b Books) live() bool { return b.Live || b.Received > 0 }

// plus adds the books of another run.
func (b Books) plus(other Books) Books {
	return Books{
		Observed:  b.Observed + other.Observed,
		Delivered: b.Delivered + other.Delivered,
		Queued:    b.Queued + other.Queued,
		Lost:      b.Lost + other.Lost,
		Received:  b.Received + other.Received,
		Distinct:  b.Distinct + other.Distinct,
		Live:      b.Live || other.Live,
	}
}

// keeper reads the books of a proxy. A nil keeper has none.
type keeper struct {
	ledger string // URL of the proxy's own books
	sink   string // URL of the receiver's count; empty: nobody receives
}

// proxyAccount is the part of the proxy's ledger that counts.
type proxyAccount struct {
	Observed  int64            `json:"observed"`
	Delivered int64            `json:"delivered"`
	Queued    int64            `json:"queued"`
	Dropped   map[string]int64 `json:"dropped"`
	Rejected  map[string]int64 `json:"rejected"`
}

// settleLimit bounds the wait for telemetry to be delivered.
const settleLimit = 60 * time.Second

// settle waits until everything observed is delivered, if it ever will be.
func (k *keeper) settle(ctx context.Context) error {
	if k == nil || k.sink == "" {
		return ctx.Err()
	}
	for start := time.Now(); time.Since(start) < settleLimit; {
		account, err := k.account(ctx)
		if err != nil {
			return err
		}
		if account.Queued == 0 {
			return nil
		}
		pause(ctx, 100*time.Millisecond)
	}
	return errors.New("telemetry is not delivered after " + settleLimit.String())
}

func (k *keeper) account(ctx context.Context) (proxyAccount, error) {
	var ledger struct {
		Process proxyAccount `json:"process"`
	}
	err := getJSON(ctx, k.ledger, &ledger)
	return ledger.Process, err
}

// books reads both sides. What a conversation began with may wait in the proxy for a report of the agent, and is
// observed late.
func (k *keeper) books(ctx context.Context) (Books, error) {
	if k == nil {
		return Books{}, nil
	}
	for start := time.Now(); ; {
		books, err := k.read(ctx)
		if err != nil || k.sink == "" || books.Observed == books.Distinct || time.Since(start) > lateLimit {
			return books, err
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// lateLimit bounds the wait for records that are observed late.
const lateLimit = 10 * time.Second

func (k *keeper) read(ctx context.Context) (Books, error) {
	account, err := k.account(ctx)
	if err != nil {
		return Books{}, err
	}
	books := Books{Observed: account.Observed, Delivered: account.Delivered, Queued: account.Queued}
	for _, lost := range []map[string]int64{account.Dropped, account.Rejected} {
		for _, n := range lost {
			books.Lost += n
		}
	}
	if k.sink == "" {
		return books, nil
	}
	var count Count
	if err := getJSON(ctx, k.sink+"/count", &count); err != nil {
		return Books{}, err
	}
	books.Received, books.Distinct, books.Live = count.Records, count.Distinct, true
	return books, nil
}
