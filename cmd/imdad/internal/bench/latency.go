package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

const (
	latencyInterval = 5 * time.Second // of every meter
	latencySpacing  = 200 * time.Millisecond
	latencyPatience = 30 * time.Second // for the last notice
	// latencyAhead is how far the decider's clock is ahead, so that what the fleet says of the meter next is older than
	// what decides.
	latencyAhead = 2 * latencyInterval
)

// latency is a service that takes what a city says while single meters decide an alarm each:
//
//	fleet, each meter every 5 s ─┐                             ┌─► webhook   (a program)
//	                             ├─► Mosquitto ─► service ─────┤
//	decider, one reading each ───┘        └ PUBACK: time begins└─► gateway   (a person's SMS): time ends
//
// The PUBACK is the one that the decider gets from the broker, which comes before the service's own to the broker. Each
// alarm concerns another person, so that no notice waits for another by the pace that people are owed.
type latency struct {
	*bench
	dir      string
	fleet    *fleet
	decided  []decision
	receiver *receiver
	broker   *peers.Process
	service  *child
}

// decision is a reading that raises an alarm at a plant.
type decision struct {
	plant, person, topic string
	acked                time.Time
}

// latency measures the time from a deciding reading to the notices of its alarm.
func (b *bench) latency(ctx context.Context) (err error) {
	b.title("Latency: %d meters every %v, %d readings that decide an alarm, one each %v", b.meters, latencyInterval, b.alarms, latencySpacing)
	l := &latency{bench: b, receiver: newReceiver()}
	if l.dir, err = b.folder("latency"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(l.dir)) }()
	if l.fleet, err = b.wholeFleet(l.dir, b.meters); err != nil {
		return err
	}
	l.decide(b.alarms)
	home := filepath.Join(l.dir, "broker")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	if l.broker, err = (&session{window: 1000}).start(ctx, home); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.broker.Kill()) }()
	sink, err := b.startSink(ctx, l.dir, "", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.kill()) }()
	return l.receiver.during(func() error { return l.measure(ctx, sink.addr) })
}

func (l *latency) measure(ctx context.Context, database string) (err error) {
	more, err := l.configure()
	if err != nil {
		return err
	}
	l.service, err = l.startService(ctx, setup{dir: l.dir, broker: l.broker.Addr(), database: database, cities: l.fleet.file, more: more})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.service.kill()) }()
	if err := subscribed(ctx, l.service); err != nil {
		return err
	}
	living, stop := context.WithCancel(ctx)
	var live errgroup.Group
	live.Go(func() error { return l.live(living) })
	defer func() {
		stop()
		err = errors.Join(err, live.Wait())
	}()
	if err := l.inject(ctx); err != nil {
		return err
	}
	return errors.Join(l.report(), l.service.stop())
}

// live lets every meter publish at its interval until ctx ends.
func (l *latency) live(ctx context.Context) error {
	o := l.fleet.options(l.broker.Addr())
	o.ClientID, o.Interval = "live", latencyInterval
	err := l.fleet.run(ctx, o)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// decide picks plants that have a meter, the same ones in every run, evenly from all over the city.
func (l *latency) decide(count int) {
	measured := make(map[string]zone.Meter)
	for _, m := range l.fleet.registry.Meters() {
		if _, second := measured[m.At]; m.Utility == meter.Electricity && !second {
			measured[m.At] = m
		}
	}
	plants := l.fleet.registry.Plants()
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(plants)) {
		m, ok := measured[plants[i].ID]
		if !ok || len(l.decided) == count {
			continue
		}
		l.decided = append(l.decided, decision{
			plant: plants[i].ID, person: fmt.Sprintf("person-%d", len(l.decided)+1),
			topic: fmt.Sprintf("imdad/v1/%s/%s/%s", m.Zone, m.Utility, m.ID),
		})
	}
}

// inject waits until every meter has spoken, publishes the deciding readings one by one, and waits for the notices.
func (l *latency) inject(ctx context.Context) error {
	_, err := follow(ctx, int64(2*l.meters), func(ctx context.Context) (int64, error) {
		p, err := l.service.metrics(ctx)
		return p.done(), err
	})
	if err != nil {
		return fmt.Errorf("take what the meters say: %w", err)
	}
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + l.broker.Addr()).SetClientID("decider").SetProtocolVersion(4))
	if t := client.Connect(); t.Wait() && t.Error() != nil {
		return fmt.Errorf("connect the decider: %w", t.Error())
	}
	defer client.Disconnect(250)
	stick, err := begin(l.service.pid())
	if err != nil {
		return err
	}
	tick := time.NewTicker(latencySpacing)
	defer tick.Stop()
	for i := range l.decided {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		t := client.Publish(l.decided[i].topic, 1, false, fmt.Sprintf(`{"ts":%d,"values":{"frequency_hz":%v}}`, time.Now().Add(latencyAhead).UnixMilli(), decidingHz))
		if t.Wait(); t.Error() != nil {
			return fmt.Errorf("publish a deciding reading: %w", t.Error())
		}
		l.decided[i].acked = time.Now()
	}
	spent, err := stick.read()
	fmt.Fprintf(l.out, "  meanwhile the service used %.0f %% of a core\n", 100*spent.cpu.Seconds()/spent.wall.Seconds())
	return errors.Join(err, eventually(ctx, latencyPatience, "every notice has come", func() (bool, error) {
		return l.receiver.count() == 2*len(l.decided), nil
	}))
}

// report prints how long the notices took.
func (l *latency) report() error {
	t := l.table("to               ", "notices", "p50 ms", "p90 ms", "p99 ms", "worst ms")
	for _, way := range []struct {
		name string
		key  func(decision) string
	}{{"webhook", func(d decision) string { return d.plant }}, {"person, by SMS", func(d decision) string { return d.person }}} {
		var ms []float64
		for _, d := range l.decided {
			at, ok := l.receiver.first(way.key(d))
			if !ok {
				return fmt.Errorf("%s: no notice for %s", way.name, way.key(d))
			}
			ms = append(ms, float64(at.Sub(d.acked).Microseconds())/1e3)
		}
		slices.Sort(ms)
		t.row(way.name, len(ms), quantile(ms, 0.5), quantile(ms, 0.9), quantile(ms, 0.99), ms[len(ms)-1])
		l.atMost("latency: deciding reading to "+way.name+", p99", quantile(ms, 0.99), 1000, "ms")
	}
	return nil
}

// quantile is the smallest value that so large a share does not exceed.
func quantile(sorted []float64, share float64) float64 {
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
