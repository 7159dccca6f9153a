package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// behindMax is how far it may fall behind, as after a stall, and still catch up.
const behindMax = 50 * time.Millisecond

// paced sends one record at a time, as bench/support/paced-load.js does, and tells the latencies.
func paced(client *kgo.Client, one func(i int) *kgo.Record, records, rate int) string {
	ctx := context.Background()
	period := time.Second / time.Duration(rate)
	latencies := make([]time.Duration, records)
	due := time.Now()
	for i := range latencies {
		if behind := time.Since(due); behind > behindMax {
			due = due.Add(behind - behindMax)
		} else if behind < 0 {
			time.Sleep(-behind)
		}
		sent := time.Now()
		check(client.ProduceSync(ctx, one(i)).FirstErr())
		latencies[i] = time.Since(sent)
		due = due.Add(period)
	}
	slices.Sort(latencies)
	at := func(share float64) float64 {
		index := min(records-1, int(float64(records)*share))
		return float64(latencies[index]) / float64(time.Millisecond)
	}
	return fmt.Sprintf(",\"latency\":{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}",
		at(0.5), at(0.99), at(0.999), at(1))
}
