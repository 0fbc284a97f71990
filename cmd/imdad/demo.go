package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/cmd/imdad/internal/simulated"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/configs"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

type demoCmd struct {
	For      time.Duration `help:"End after this long and judge the result (default: run until Ctrl-C)." placeholder:"30s"`
	Data     string        `type:"path" help:"Keep everything in this folder (default: a temporary one, removed at the end)." placeholder:"DIR"`
	Influxd  string        `type:"path" help:"The InfluxDB 1.8 server (default: influxd beside this program)." placeholder:"FILE"`
	AddrFile string        `type:"path" help:"Write the addresses in use to this file, one NAME=HOST:PORT a line." placeholder:"FILE"`

	Scenario   string    `help:"What happens to the city: a scenario that ships with metersim (metersim scenarios lists them), or a file that ends in .yaml (default: demo-day)." default:"demo-day" placeholder:"NAME"`
	ClockStart time.Time `help:"When the play begins, as RFC 3339 (default: at the scenario's own hour, today)." placeholder:"T"`
	Speed      float64   `help:"Simulated seconds in a real one (default: 120)." default:"120" placeholder:"N"`
}

// Validate is called by the parser.
func (d *demoCmd) Validate() error { return d.clockFlags(time.Time{}).Validate() }

func (d *demoCmd) clockFlags(start time.Time) clockFlags {
	return clockFlags{ClockStart: start, Speed: d.Speed}
}

// Help is shown by imdad demo --help.
func (demoCmd) Help() string {
	return `Starts an MQTT broker, a real InfluxDB, the simulated meters of Sheikh Najjar and the service, all on loopback, and plays a day:
a feeder trips, two are rationed and come back late, the voltage sags, a tanker does not come, a main bursts. The notices
that people would get are printed as they leave, in both languages, with the ledger as it grows. It ends with one line of
the ledger, and with exit code 0 only if every line of it balances and InfluxDB holds exactly the readings that the meters
had acknowledged.`
}

// The usual ports, so that a Grafana or a client finds the demo; taken ones
// move to a free one.
const (
	usualBroker = "127.0.0.1:1883"
	usualInflux = "127.0.0.1:8086"
	usualHTTP   = "127.0.0.1:8080"
)

// settleTimeout bounds the wait, at the end, for what is still on its way.
const settleTimeout = 30 * time.Second

func (d *demoCmd) Run(e *env) (err error) {
	dir := d.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "imdad-demo-"); err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	p := &play{demoCmd: d, dir: dir, screen: newScreen(e.stdout)}
	if p.plan, err = d.prepare(dir); err != nil {
		return err
	}
	p.now = d.clockFlags(p.plan.Start).clock()
	p.log = newLogger(e.stderr, logConfig{Level: "warn", Format: "auto"}, p.now)
	defer p.close()
	if err := p.setUp(e.ctx); err != nil {
		return err
	}
	return p.run(e.ctx)
}

// play is one demo:
//
//	fleet ─MQTT─► broker ─► service ─┬─► InfluxDB
//	  │ truth         ledger ┌───────┤      │ count(quality)
//	  └──────────────► verdict ◄─────┼──────┘
//	                                 └─ notices ─► screen
type play struct {
	*demoCmd
	dir    string
	now    func() time.Time
	screen *screen
	log    zerolog.Logger

	plan     *metersim.Plan
	broker   *broker
	influx   *peers.Process
	service  *service
	sources  int // that read its meters
	database database
	before   counts // what a kept folder held already
	teardown []func()
}

func (p *play) close() {
	for i := len(p.teardown) - 1; i >= 0; i-- {
		p.teardown[i]()
	}
}

// setUp starts what the service needs, and makes the service.
func (p *play) setUp(ctx context.Context) error {
	var err error
	if p.broker, err = startBroker(orFree(usualBroker), p.log); err != nil {
		return err
	}
	p.teardown = append(p.teardown, p.broker.close)
	if err := p.startInflux(ctx); err != nil {
		return err
	}
	c := defaultConfig()
	c.DataDir = filepath.Join(p.dir, "collector")
	c.MQTT.Brokers, c.MQTT.ClientID = []string{"tcp://" + p.broker.addr}, "imdad-demo"
	c.Influx.URL, c.Influx.Org, c.Influx.Bucket, c.Influx.Create = "http://"+p.influx.Addr(), "imdad", databaseName, true
	c.Metrics.Meters = true
	text, err := p.plan.SourcesYAML()
	if err != nil {
		return err
	}
	if c.Sources, err = simulated.Sources(text); err != nil {
		return err
	}
	p.sources = len(c.Sources)
	c.HTTP.Listen = orFree(usualHTTP)
	c.Alerting.Interval = 50 * time.Millisecond // the clock is fast: 6 s of the play
	if err := c.Validate(); err != nil {
		return err
	}
	p.service, err = p.newService(ctx, c)
	return err
}

// newService makes a service whose people read their notices on the screen.
func (p *play) newService(ctx context.Context, c config) (*service, error) {
	o := serviceOptions{
		setup: setup{config: c, registry: p.plan.Registry, rules: rule.DefaultConfig(), people: notify.DefaultConfig()},
		now:   p.now, log: p.log,
	}
	if err := configs.LoadShippedPeople(&o.people); err != nil {
		return nil, err
	}
	renderer, err := message.New(p.plan.Registry)
	if err != nil {
		return nil, fmt.Errorf("read the texts of messages: %w", err)
	}
	for _, name := range []string{emailName, telegramName, smsName} {
		o.channels = append(o.channels, notify.Spec{Name: name, Channel: &reader{p.screen, renderer, p.now}})
	}
	return newService(ctx, o)
}

func (p *play) startInflux(ctx context.Context) (err error) {
	dir := filepath.Join(p.dir, "influxdb")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder for InfluxDB: %w", err)
	}
	binary := p.Influxd
	if binary == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find influxd beside this program: %w", err)
		}
		binary = filepath.Join(filepath.Dir(self), "influxd")
	}
	fmt.Fprintln(p.screen, "starting InfluxDB …")
	addr := orFree(usualInflux)
	if addr != usualInflux {
		addr = "" // a child cannot tell which port it has picked
	}
	p.influx, err = peers.StartInfluxDB(ctx, peers.InfluxDBOptions{Binary: binary, Dir: dir, Addr: addr})
	if err != nil {
		return err
	}
	p.teardown = append(p.teardown, func() {
		if err := p.influx.Stop(); err != nil {
			p.log.Warn().Err(err).Msg("InfluxDB did not end well")
		}
	})
	p.database = database{url: "http://" + p.influx.Addr()}
	p.before, err = p.database.counts(ctx)
	return err
}

// run plays until ctx ends or the time is up, then judges.
func (p *play) run(ctx context.Context) error {
	lines := []string{"http=" + p.service.http.Addr(), "broker=" + p.broker.addr, "influx=" + p.influx.Addr()}
	if p.AddrFile != "" {
		if err := writeAddresses(p.AddrFile, lines...); err != nil {
			return errors.Join(err, p.service.Close())
		}
	}
	fmt.Fprintf(p.screen, "service   http://%s\nmetrics   http://%[1]s/metrics and /metrics/meters\nbroker    tcp://%s  \nInfluxDB  http://%s  (database %s)\nmeters    %d of %s, read by %d sources\nplay      %s (%s), at %v times real speed\n",
		p.service.http.Addr(), p.broker.addr, p.influx.Addr(), databaseName, len(p.plan.Registry.Meters()), p.plan.Registry.Cities()[0].Name.En, p.sources,
		p.plan.Scenario.Title, p.plan.Scenario.Name, p.Speed)

	var verdict error
	collecting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	err := p.service.Run(collecting, func(running context.Context) error {
		defer stop()
		var summary metersim.Summary
		summary, verdict = p.publish(ctx, running)
		if verdict == nil {
			verdict = p.judge(running, summary)
		}
		return nil
	})
	return errors.Join(err, verdict)
}

// publish lets the fleet speak, and shows the ledger once a second.
func (p *play) publish(ctx, running context.Context) (metersim.Summary, error) {
	if err := p.awaitSession(running); err != nil {
		return metersim.Summary{}, err
	}
	o := metersim.DefaultOptions()
	o.Plan, o.Broker, o.Log = p.plan, "tcp://"+p.broker.addr, p.log
	o.Speed, o.Duration = p.Speed, p.For
	fleet, err := metersim.New(o)
	if err != nil {
		return metersim.Summary{}, err
	}
	status := newStatusLine(p.screen, p.service)
	publishing, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(running, cancel)()
	var summary metersim.Summary
	var g errgroup.Group
	shown, done := context.WithCancel(running)
	g.Go(func() (err error) {
		defer done()
		summary, err = fleet.Run(publishing)
		return err
	})
	g.Go(func() error { return status.run(shown) })
	err = g.Wait()
	p.screen.leave()
	return summary, err
}

// awaitSession waits until the collector is subscribed, so that the first
// messages find it.
func (p *play) awaitSession(ctx context.Context) error {
	return eventually(ctx, settleTimeout, "the collector's session", func() (bool, error) {
		for _, s := range p.service.collector.Status().Sessions {
			if !s.Ready() {
				return false, nil
			}
		}
		return true, nil
	})
}

// eventually asks again and again, until done or for as long as timeout.
func eventually(ctx context.Context, timeout time.Duration, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}
