package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

type runCmd struct {
	Config   string `required:"" help:"The configuration file; configs/imdad.yaml explains every key." placeholder:"FILE"`
	AddrFile string `type:"path" help:"Write the addresses in use to this file, one NAME=HOST:PORT a line." placeholder:"FILE"`
	clockFlags
}

// Help is shown by imdad run --help.
func (runCmd) Help() string {
	return `Readings are acknowledged to the broker once they are on disk under data_dir, and written to the database from there.
SIGHUP, or a change of a city file or of the configuration, puts a new registry in force; a wrong file changes nothing.
SIGTERM takes nothing more, stores what has arrived, and ends; what the database has not taken yet waits for the next start.`
}

func (r *runCmd) Run(e *env) error {
	now := r.clock()
	c, registry, err := loadConfig(r.Config)
	if err != nil {
		fmt.Fprintln(e.stderr, err)
		return reported{err}
	}
	// Reading the files has left many times their size behind.
	debug.FreeOSMemory()
	log := newLogger(e.stderr, c.Log, now)
	s, err := newService(e.ctx, c, registry, now, log)
	if err != nil {
		return err
	}
	if r.AddrFile != "" {
		if err := writeAddresses(r.AddrFile, "http="+s.http.Addr()); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	log.Info().Str("version", version).Str("http", s.http.Addr()).Strs("brokers", c.MQTT.Brokers).
		Str("database", c.Influx.URL).Msg("imdad is up")
	reload := &reloader{path: r.Config, current: c, cities: c.Cities, collector: s.collector, log: log}
	err = s.Run(e.ctx, func(ctx context.Context) error { return reload.Run(ctx, e.hangup) })
	log.Info().Msg("imdad has ended")
	return err
}

// service is a collector with its HTTP face:
//
//	broker ─► collector ─► database
//	             │ └─ metrics, meters, status ─► http ─► Prometheus, people
//	 SIGHUP, files ─► reloader ─► registry
type service struct {
	collector *collector.Collector
	metrics   *prometheus.Registry
	http      *httpServer
}

func newService(ctx context.Context, c config, registry *zone.Registry, now func() time.Time, log zerolog.Logger) (*service, error) {
	metrics := prometheus.NewPedanticRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	co, err := collector.New(ctx, collector.Options{
		DataDir: c.DataDir, MQTT: c.MQTT, Influx: c.Influx, Spool: c.Spool, Quarantine: c.Quarantine,
		Sources: c.Sources, Registry: registry,
		Password: secret(c.MQTT.Password), Token: secret(c.Influx.Token),
		Now: now, Log: log, Registerer: metrics,
	})
	if err != nil {
		return nil, err
	}
	var meters *prometheus.Registry
	if c.Metrics.Meters {
		meters = prometheus.NewRegistry()
		meters.MustRegister(live.NewMeterCollector(co.Live(), c.Metrics))
	}
	server, err := newHTTPServer(c.HTTP, newMux(co, metrics, meters), log)
	if err != nil {
		return nil, errors.Join(err, co.Close())
	}
	return &service{collector: co, metrics: metrics, http: server}, nil
}

// Run works until ctx ends. HTTP ends last, so that health and metrics can be
// read while the collector stores what had arrived. beside runs along with it.
func (s *service) Run(ctx context.Context, beside func(context.Context) error) error {
	g, running := errgroup.WithContext(ctx)
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	g.Go(func() error {
		defer stopServing()
		return s.collector.Run(running)
	})
	g.Go(func() error { return s.http.Run(serving) })
	g.Go(func() error { return beside(running) })
	return errors.Join(g.Wait(), s.collector.Close())
}

// Close releases what a service holds that never ran.
func (s *service) Close() error { return errors.Join(s.http.Close(), s.collector.Close()) }

// writeAddresses appears whole or not at all, for whoever waits for the file.
func writeAddresses(path string, lines ...string) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return fmt.Errorf("write the address file: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write the address file: %w", err)
	}
	return nil
}
