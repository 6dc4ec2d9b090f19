package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"sync"
	"time"
)

// seen is what one or more workers of a closed loop saw.
type seen struct {
	streams, events, errors int
	bytes, sent             int64
	latency, first          []time.Duration
	firstError              error
	sums                    map[string]Delivery // by response id
}

func (s *seen) add(stream Stream, request string) {
	s.streams++
	s.events += stream.Events
	s.bytes += int64(stream.Bytes)
	s.latency = append(s.latency, stream.Latency...)
	s.first = append(s.first, stream.First)
	s.sums[stream.ID] = Delivery{Request: request, Response: stream.Sum}
}

func (s *seen) merge(other seen) {
	s.streams += other.streams
	s.events += other.events
	s.errors += other.errors
	s.bytes += other.bytes
	s.sent += other.sent
	s.latency = append(s.latency, other.latency...)
	s.first = append(s.first, other.first...)
	if s.firstError == nil {
		s.firstError = other.firstError
	}
	maps.Copy(s.sums, other.sums)
}

// maxGrowth is how much longer than at first the requests of a worker become before they start over.
const maxGrowth = 1 << 20

// loop keeps mode.Concurrency streams going for a while and lets those in progress finish, within a limit: a proxy may
// lose a request for good.
func loop(ctx context.Context, client *Client, mode Mode, d time.Duration) seen {
	first := client.body(mode.Spec, mode.BodySize)
	firstSum := digest(first)
	total := seen{sums: map[string]Delivery{}}
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		end     = time.Now().Add(d)
	)
	for i := range mode.Concurrency {
		workers.Go(func() {
			own := seen{sums: map[string]Delivery{}}
			talker := &talker{client: client, mode: mode}
			defer talker.close()
			limit := 10*time.Second + 2*mode.Spec.Delay*time.Duration(mode.Spec.Events)
			// Paced streams start and tick out of step: multiples of the golden ratio are evenly spread however many
			// there are.
			_, phase := math.Modf(float64(i) * math.Phi)
			pause(ctx, time.Duration(phase*float64(mode.Spec.Delay)*float64(mode.Spec.Events)))
			body, sum := first, firstSum
			for n := 0; time.Now().Before(end) && ctx.Err() == nil; n++ {
				if mode.Grow > 0 && n > 0 {
					body = client.body(mode.Spec, mode.BodySize+n*mode.Grow%maxGrowth)
					sum = digest(body)
				}
				limited, cancel := context.WithTimeout(ctx, limit)
				stream, err := talker.talk(limited, body)
				cancel()
				own.sent += int64(len(body))
				if err == nil && stream.Events != mode.Spec.Events {
					err = fmt.Errorf("%d delta events instead of %d", stream.Events, mode.Spec.Events)
				}
				if err != nil {
					own.errors++
					own.firstError = err
					pause(ctx, 10*time.Millisecond) // a dead proxy fails at once
					continue
				}
				own.add(stream, sum)
			}
			mu.Lock()
			defer mu.Unlock()
			total.merge(own)
		})
	}
	workers.Wait()
	return total
}

func digest(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}
