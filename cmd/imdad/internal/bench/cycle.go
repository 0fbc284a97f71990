package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting"
	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/forecast"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/configs"
)

// cycleRounds is how many minutes each state of a city is judged for: the median of them counts. Those in which
// thousands of alarms begin at once take longer, and are the worst.
const cycleRounds = 12

// cycle measures alerting's own work, in this process and on one core: a snapshot, the forecasts, an evaluation, a step
// of the alarm book and the plan of notices, with people who are told. Each cycle comes a minute after the last, so that
// none is spared the forecasts, which are made once a minute.
func (b *bench) cycle(ctx context.Context) error {
	b.title("A cycle of alerting, on one core, forecasts included")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	t := b.table("meters", "the city is       ", "ms CPU", "  worst", "ns/meter", "conditions", "alarms", "heap MB")
	var first, last float64 // ns a meter on an ordinary day
	for _, tenths := range []int{1, 4, 10} {
		meters := b.many * tenths / 10
		c, err := b.startCity(ctx, meters)
		if err != nil {
			return err
		}
		for _, state := range cityStates {
			ms, err := c.judge(ctx, state)
			if err != nil {
				return errors.Join(fmt.Errorf("%d meters: %w", meters, err), c.close())
			}
			typical := median(ms, func(v float64) float64 { return v })
			t.row(meters, state.name, typical, slices.Max(ms), typical*1e6/float64(meters), c.conditions(), len(c.manager.Alarms()), heapMB())
			b.atMost(fmt.Sprintf("cycle: %d meters, %s", meters, state.name), typical, 250, "ms CPU")
			if state.name == ordinary {
				last = typical * 1e6 / float64(meters)
				if first == 0 {
					first = last
				}
			}
		}
		if err := c.close(); err != nil {
			return err
		}
	}
	b.atMost("cycle: cost a meter, ten times as many against few", last/first, 1.5, "times")
	return nil
}

// cityState is what all meters say, as a share of what is normal there.
type cityState struct {
	name string
	says func(feeder int) (volts float64, spoken bool)
}

// cityStates come one after another. Each tenth feeder loses power in a storm; when the broker is away nobody says
// anything.
var cityStates = []cityState{
	{ordinary, func(int) (float64, bool) { return 1, true }},
	{"in a storm", func(feeder int) (float64, bool) { return float64(min(feeder%10, 1)), true }},
	{brokerAway, func(int) (float64, bool) { return 0, false }},
}

const (
	ordinary   = "as on most days"
	brokerAway = "without a broker"
)

// judgedCity is live state and alerting without a network.
type judgedCity struct {
	dir      string
	now      time.Time
	live     *live.State
	speakers []speaker
	parts    []snapshot.Part
	manager  *alerting.Manager
	metrics  *prometheus.Registry
}

func (b *bench) startCity(ctx context.Context, meters int) (_ *judgedCity, err error) {
	shipped, err := configs.ShippedRegistry(city)
	if err != nil {
		return nil, err
	}
	registry, err := metersim.Scale(shipped, meters)
	if err != nil {
		return nil, err
	}
	c := &judgedCity{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), metrics: prometheus.NewRegistry()}
	if c.dir, err = b.folder("judged"); err != nil {
		return nil, err
	}
	c.live, c.speakers = live.New(registry, c.clock), speakersOf(registry)
	people := notify.DefaultConfig()
	if err := configs.LoadShippedPeople(&people); err != nil {
		return nil, err
	}
	renderer, err := message.New(registry)
	if err != nil {
		return nil, err
	}
	c.manager, err = alerting.New(ctx, alerting.Options{
		DataDir: c.dir, Config: alerting.DefaultConfig(), Alarms: alarm.DefaultConfig(), Rules: rule.Config{},
		Forecast: forecast.DefaultConfig(), People: people, Channels: toNobody(people), Renderer: renderer, Registry: registry,
		Source: c.live, Parts: func() []snapshot.Part { return c.parts }, Now: c.clock, Log: zerolog.Nop(), Registerer: c.metrics,
	})
	return c, err
}

func (c *judgedCity) clock() time.Time { return c.now }

func (c *judgedCity) close() error { return errors.Join(c.manager.Close(), os.RemoveAll(c.dir)) }

// judge returns the CPU time of each cycle, in ms. What the meters say is taken in between.
func (c *judgedCity) judge(ctx context.Context, state cityState) (ms []float64, err error) {
	if state.name == brokerAway {
		c.parts = []snapshot.Part{{Name: "broker", Fault: "connection refused", Since: c.now.UnixMilli()}}
	}
	for range cycleRounds {
		c.now = c.now.Add(time.Minute)
		for i := range c.speakers {
			c.speakers[i].speak(c.live, c.now, state)
		}
		begun := cpuSelf()
		if err := c.manager.Cycle(ctx); err != nil {
			return nil, err
		}
		ms = append(ms, float64((cpuSelf()-begun).Microseconds())/1e3)
		if err := c.manager.Deliver(ctx); err != nil {
			return nil, err
		}
	}
	return ms, nil
}

// conditions is how many are not clear.
func (c *judgedCity) conditions() int {
	families, err := c.metrics.Gather()
	if err != nil {
		return -1
	}
	n := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "imdad_alerting_conditions" {
				n += m.GetGauge().GetValue()
			}
		}
	}
	return int(n)
}

// cpuSelf is the user and system time of this process.
func cpuSelf() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it fails for wrong arguments only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}
