package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/alerting"
	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/console"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// service is a collector and its alerting, with an HTTP face:
//
//	broker ─► collector ─► database
//	             │  │ ▲ transitions
//	             │  │ └──────────┐
//	             │  └ state ─► alerting ─► channels ─► people
//	             │                │
//	             └─ metrics ──┬───┴ API
//	                          ▼
//	                        http ─► Prometheus, people
//	 SIGHUP, files ─► reloader ─► registry, rules, people
type service struct {
	collector *collector.Collector
	alerting  *alerting.Manager
	channels  []notify.Spec
	registry  atomic.Pointer[zone.Registry] // in force, for the names in messages
	texts     func(alarm.Alarm) (map[message.Language]message.Text, error)
	metrics   *prometheus.Registry
	http      *httpServer
}

// serviceOptions are what a service is made of.
type serviceOptions struct {
	setup
	now      func() time.Time
	log      zerolog.Logger
	channels []notify.Spec // besides those of the configuration
}

func newService(ctx context.Context, o serviceOptions) (*service, error) {
	s := &service{metrics: prometheus.NewPedanticRegistry()}
	s.registry.Store(o.setup.registry)
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	c := &o.config
	var err error
	s.collector, err = collector.New(ctx, collector.Options{
		DataDir: c.DataDir, MQTT: c.MQTT, Influx: c.Influx, Spool: c.Spool, Quarantine: c.Quarantine, Supply: c.Supply,
		Sources: c.Sources, Registry: o.setup.registry,
		Password: secret(c.MQTT.Password), Token: secret(c.Influx.Token),
		Now: o.now, Log: o.log, Registerer: s.metrics,
	})
	if err != nil {
		return nil, err
	}
	if err = s.openAlerting(ctx, &o); err != nil {
		return nil, errors.Join(err, s.collector.Close())
	}
	if err = s.listen(&o); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	return s, nil
}

func (s *service) openAlerting(ctx context.Context, o *serviceOptions) error {
	renderer, err := message.New(s)
	if err != nil {
		return fmt.Errorf("read the texts of messages: %w", err)
	}
	s.texts = texts(renderer, s.registry.Load, o.now)
	channels, err := o.Channels.open(channelParts{texts: s.texts, occurrence: s.occurrence, registerer: s.metrics})
	if err != nil {
		return err
	}
	s.channels = append(channels, o.channels...)
	s.alerting, err = alerting.New(ctx, alerting.Options{
		DataDir: o.DataDir, Config: o.Alerting, Alarms: o.Alarms, Forecast: o.Forecast, Rules: o.rules, People: o.people,
		Channels: s.channels, Renderer: renderer, Registry: o.setup.registry,
		Source: s.collector.Live(), Parts: newParts(s.collector, o.now).list, Recorder: recorder{s.collector},
		Now: o.now, Log: o.log, Registerer: s.metrics,
	})
	return err
}

func (s *service) listen(o *serviceOptions) (err error) {
	var meters *prometheus.Registry
	if o.Metrics.Meters {
		meters = prometheus.NewRegistry()
		meters.MustRegister(live.NewMeterCollector(s.collector.Live(), o.Metrics))
	}
	mux := newMux(s.collector, s.metrics, meters)
	console.Register(mux, console.Options{Desk: s.alerting, Outbox: s.alerting, Stages: stages{s}, Links: s.alerting, Texts: s.texts, Version: version})
	s.http, err = newHTTPServer(o.HTTP, mux, o.log)
	return err
}

// Object implements message.Names with the registry in force.
func (s *service) Object(id string) (zone.Object, bool) { return s.registry.Load().Object(id) }

// occurrence finds the alarm that an answer on a channel is about.
func (s *service) occurrence(n int64) (id string, ok bool) {
	for _, a := range s.alerting.Alarms() {
		if a.Occurrence == n {
			return a.ID, true
		}
	}
	return "", false
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
	g.Go(func() error { return s.alerting.Run(running) })
	g.Go(func() error { return s.http.Run(serving) })
	g.Go(func() error { return beside(running) })
	return errors.Join(g.Wait(), s.closeFiles())
}

// Close releases what a service holds that never ran.
func (s *service) Close() error {
	return errors.Join(s.http.Close(), s.closeFiles())
}

// closeFiles closes what alerting holds, then the channels that it spoke over,
// and last the spool that both report to.
func (s *service) closeFiles() error {
	errs := []error{s.alerting.Close()}
	for _, ch := range s.channels {
		if c, ok := ch.Channel.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(append(errs, s.collector.Close())...)
}

// reload puts another registry, rules and people in force, or nothing of it.
func (s *service) reload(c setup) error {
	if err := s.alerting.Reload(c.rules, c.people, c.registry); err != nil {
		return err
	}
	s.registry.Store(c.registry)
	s.collector.SetRegistry(c.registry)
	return nil
}

// stages takes announced stages of rationing.
type stages struct{ *service }

// SetStage implements console.Stages.
func (s stages) SetStage(city string, stage int) error {
	if _, ok := s.service.registry.Load().City(city); !ok {
		return fmt.Errorf("there is no city %q", city)
	}
	s.collector.Live().SetStage(city, stage)
	return nil
}

// recorder puts transitions of alarms on their way to the database.
type recorder struct{ collector *collector.Collector }

// Record implements alerting.Recorder.
func (r recorder) Record(ctx context.Context, lines []alarm.Transition) error {
	points := make([]influx.AlarmPoint, len(lines))
	for i := range lines {
		t := &lines[i]
		points[i] = influx.AlarmPoint{
			City: t.Alarm.City, Zone: t.Alarm.InZone, Kind: t.Alarm.Kind, Object: t.Alarm.Object, Time: t.Time.UnixMilli(),
			State: string(t.To), Event: string(t.Event), Severity: int(t.Alarm.Severity), Seq: t.Seq,
		}
	}
	return r.collector.StoreAlarms(ctx, points)
}
