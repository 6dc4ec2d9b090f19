package otlp

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSmallQueueKeepsTheNewest fills a queue that is smaller than a batch would
// be. What overflows is lost, what is within the limit is delivered.
func TestSmallQueueKeepsTheNewest(t *testing.T) {
	for name, limits := range map[string]QueueLimits{
		"records": {MaxRecords: 25},
		"bytes":   {MaxBytes: 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := openScripted(Config{Queue: limits}, &scripted{replies: make([]reply, 100)})
				const total = 300
				for range total {
					x.Record(prompt("hello"))
				}
				go x.Run(t.Context())
				<-time.After(time.Minute)
				x.Close()
				got := x.Stats()
				if got.Delivered < 10 || got.Delivered+got.Dropped.QueueFull != total {
					t.Errorf("delivered %d, dropped %d for want of room; want at least 10, and %d of both", got.Delivered, got.Dropped.QueueFull, total)
				}
			})
		})
	}
}
