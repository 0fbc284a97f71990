package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// outage is a service whose database is down for a long time:
//
//	meters ─► Mosquitto ─► service ─► nobody listens      fill: everything is spooled
//	live meters ─► Mosquitto ─► service ─► sink           drain: the sink appears
type outage struct {
	*bench
	dir     string
	fleet   *fleet
	broker  *peers.Process
	service *child
	sinkAt  string // HOST:PORT
}

// outage spools readings while the database is down, then lets it come back.
func (b *bench) outage(ctx context.Context) (err error) {
	b.title("Outage: %d readings of %d meters spooled, then drained while %.0f/s arrive", b.outageReadings, b.meters, b.liveRate)
	o := &outage{bench: b}
	if o.dir, err = b.folder("outage"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	if o.fleet, err = b.fleet(b.meters); err != nil {
		return err
	}
	if o.sinkAt, err = peers.FreeAddr(); err != nil {
		return err
	}
	home := filepath.Join(o.dir, "broker")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	if o.broker, err = (&session{window: 1000}).start(ctx, home); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.broker.Kill()) }()
	o.service, err = b.startService(ctx, setup{dir: o.dir, broker: o.broker.Addr(), database: o.sinkAt, cities: o.fleet.file})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.service.kill()) }()
	if err := errors.Join(subscribed(ctx, o.service), o.fill(ctx)); err != nil {
		return err
	}
	if err := o.drain(ctx); err != nil {
		return err
	}
	peak, err := status(o.service.pid(), "VmHWM")
	b.atMost("outage: peak memory", float64(peak)/1e6, 150, "MB")
	return errors.Join(err, o.service.stop())
}

// subscribed waits until the service has its session at the broker.
func subscribed(ctx context.Context, service *child) error {
	return eventually(ctx, startPatience, "the service is connected", func() (bool, error) {
		p, err := service.metrics(ctx)
		return p.sum("imdad_mqtt_connected", "") == 1, err
	})
}

// fill publishes as fast as the meters and the broker can, and shows every tenth.
func (o *outage) fill(ctx context.Context) error {
	all := o.outageReadings
	t := o.table(" spooled", "readings/s", "RSS MB", "peak MB", "disk MB", "bytes a reading")
	begun := time.Now()
	next := all / 10
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return o.fleet.publish(ctx, o.broker.Addr(), all) })
	group.Go(func() error {
		_, err := follow(ctx, all, func(ctx context.Context) (int64, error) {
			p, err := o.service.metrics(ctx)
			n := p.sum(metricPending, "")
			if err != nil || n < next {
				return n, err
			}
			next = max(n+1, (n*10/all+1)*all/10)
			rss, err1 := status(o.service.pid(), "VmRSS")
			peak, err2 := status(o.service.pid(), "VmHWM")
			disk, err3 := size(filepath.Join(o.dir, "data"))
			t.row(n, float64(n)/time.Since(begun).Seconds(), float64(rss)/1e6, float64(peak)/1e6, float64(disk)/1e6, float64(disk)/float64(n))
			return n, errors.Join(err1, err2, err3)
		})
		return err
	})
	return group.Wait()
}

// drain lets live meters begin and the sink appear, and measures from the sink's first line until it has as many as had
// waited: the spool delivers the oldest first. The rate judged is that of the backlog growing shorter, live readings
// taken off.
func (o *outage) drain(ctx context.Context) (err error) {
	all := o.outageReadings
	living, stop := context.WithCancel(ctx)
	var live errgroup.Group
	live.Go(func() error { return o.live(living) })
	defer func() {
		stop()
		err = errors.Join(err, live.Wait())
	}()
	// Two seconds of live readings are in before it counts.
	_, err = follow(ctx, all+int64(2*o.liveRate), func(ctx context.Context) (int64, error) {
		p, err := o.service.metrics(ctx)
		return p.done(), err
	})
	if err != nil {
		return err
	}
	sink, err := o.startSink(ctx, o.dir, o.sinkAt, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.kill()) }()
	taken := func(ctx context.Context) (int64, error) {
		p, err := sink.metrics(ctx)
		return p.sum(metricTaken, ""), err
	}
	if _, err := follow(ctx, 1, taken); err != nil {
		return err
	}
	before, err := o.moment(ctx, taken)
	if err != nil {
		return err
	}
	if _, err := follow(ctx, all, taken); err != nil {
		return err
	}
	after, err := o.moment(ctx, taken)
	if err != nil {
		return err
	}
	s := after.at.Sub(before.at).Seconds()
	delivered, arrived := float64(after.taken-before.taken)/s, float64(after.done-before.done)/s
	shrunk := float64(before.pending-after.pending) / s
	fmt.Fprintf(o.out, "  drained in %.0f s: %.0f readings/s delivered, %.0f/s arrived, the backlog shrank by %.0f/s\n",
		s, delivered, arrived, shrunk)
	o.atLeast("outage: backlog delivered", delivered, 40_000, "readings/s")
	o.atLeast("outage: backlog shrinks, live readings taken off", shrunk, 40_000, "readings/s")
	o.atLeast("outage: live readings meanwhile", arrived, math.Floor(0.95*o.liveRate), "readings/s")
	return nil
}

// live publishes at a steady rate until ctx ends.
func (o *outage) live(ctx context.Context) error {
	options := o.fleet.options(o.broker.Addr())
	options.ClientID, options.Rate, options.Seed = "live", o.liveRate, 2
	err := o.fleet.run(ctx, options)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// moment is the service's and the sink's books at one time.
type moment struct {
	at                   time.Time
	taken, pending, done int64
}

func (o *outage) moment(ctx context.Context, taken func(context.Context) (int64, error)) (moment, error) {
	p, err1 := o.service.metrics(ctx)
	n, err2 := taken(ctx)
	return moment{time.Now(), n, p.sum(metricPending, ""), p.done()}, errors.Join(err1, err2)
}
