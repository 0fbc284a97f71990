package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// backlog is a spool full of readings, and the batches that the service makes of them.
type backlog struct {
	cities  string
	data    string // data_dir
	batches string // file
	lines   int64
	nobody  string // HOST:PORT at which nobody listens
}

// influx compares the service with a loop that posts the same batches over as many connections: both write the same
// lines into an empty InfluxDB. The service takes them from its spool, so that the broker has no part in it.
func (b *bench) influx(ctx context.Context) error {
	b.title("InfluxDB 1.8.3: %d readings from the spool, against posting the same batches", b.messages)
	l, err := b.makeBacklog(ctx)
	if err != nil {
		return fmt.Errorf("make a backlog: %w", err)
	}
	t := b.table("pair", "imdad readings/s", "posted readings/s", "ratio")
	var ratios []float64
	for i := range b.pairs {
		ours, err := b.writeSpool(ctx, l)
		if err != nil {
			return fmt.Errorf("imdad, run %d: %w", i+1, err)
		}
		limit, err := b.postBatches(ctx, l)
		if err != nil {
			return fmt.Errorf("posting, run %d: %w", i+1, err)
		}
		ratios = append(ratios, ours/limit)
		t.row(i+1, ours, limit, ours/limit)
	}
	b.atLeast("InfluxDB: readings/s against its own limit", median(ratios, func(r float64) float64 { return r }), 0.8, "")
	return nil
}

// makeBacklog spools the messages of a session while there is no database, and records what a database would get.
func (b *bench) makeBacklog(ctx context.Context) (*backlog, error) {
	f, err := b.fleet(b.meters)
	if err != nil {
		return nil, err
	}
	s, err := b.prefill(ctx, f, b.messages, 1000)
	if err != nil {
		return nil, err
	}
	dir, err := b.folder("backlog")
	if err != nil {
		return nil, err
	}
	l := &backlog{cities: f.file, data: filepath.Join(dir, "data"), batches: filepath.Join(dir, "batches"), lines: b.messages}
	if l.nobody, err = peers.FreeAddr(); err != nil {
		return nil, err
	}
	err = b.fill(ctx, l, s, dir)
	return l, errors.Join(err, s.remove(), b.record(ctx, l))
}

func (b *bench) fill(ctx context.Context, l *backlog, s *session, dir string) (err error) {
	broker, err := s.startCopy(ctx, filepath.Join(dir, "broker"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, broker.Kill()) }()
	service, err := b.startService(ctx, setup{dir: dir, data: l.data, broker: broker.Addr(), database: l.nobody, cities: l.cities})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.kill()) }()
	_, err = follow(ctx, l.lines, func(ctx context.Context) (int64, error) {
		p, err := service.metrics(ctx)
		return p.done(), err
	})
	return errors.Join(err, service.stop())
}

// record lets the service write the backlog into a recording sink.
func (b *bench) record(ctx context.Context, l *backlog) (err error) {
	return b.withBacklog(ctx, l, func(dir string) error {
		sink, err := b.startSink(ctx, dir, "", l.batches)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sink.kill()) }()
		service, err := b.startService(ctx, setup{dir: dir, broker: l.nobody, database: sink.addr, cities: l.cities})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, service.kill()) }()
		_, err = follow(ctx, l.lines, func(ctx context.Context) (int64, error) {
			p, err := sink.metrics(ctx)
			return p.sum(metricTaken, ""), err
		})
		return errors.Join(err, service.stop())
	})
}

// withBacklog calls f with a folder whose data is a copy of the backlog.
func (b *bench) withBacklog(ctx context.Context, l *backlog, f func(dir string) error) error {
	dir, err := b.folder("write")
	if err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(l.data)); err != nil {
		return err
	}
	return errors.Join(f(dir), os.RemoveAll(dir), ctx.Err())
}

// writeSpool returns how many readings a second the service writes.
func (b *bench) writeSpool(ctx context.Context, l *backlog) (rate float64, err error) {
	err = b.withBacklog(ctx, l, func(dir string) error {
		rate, err = b.intoInfluxDB(ctx, l.lines, dir, metricWritten, func(addr string) (*child, error) {
			return b.startService(ctx, setup{dir: dir, broker: l.nobody, database: addr, cities: l.cities})
		})
		return err
	})
	return rate, err
}

// postBatches returns how many readings a second the database takes from a loop that has nothing else to do.
func (b *bench) postBatches(ctx context.Context, l *backlog) (rate float64, err error) {
	dir, err := b.folder("post")
	if err != nil {
		return 0, err
	}
	rate, err = b.intoInfluxDB(ctx, l.lines, dir, metricTaken, func(addr string) (*child, error) {
		return spawn(ctx, "post", dir, "-addr-file", b.self, "post", "-url", "http://"+addr, "-file", l.batches,
			"-requests", fmt.Sprint(influx.DefaultConfig().Requests))
	})
	return rate, errors.Join(err, os.RemoveAll(dir))
}

// intoInfluxDB starts an empty database and a writer, and measures until all lines but the last two batches are stored:
// those may wait a moment for others to go with them.
func (b *bench) intoInfluxDB(ctx context.Context, lines int64, dir, metric string, start func(addr string) (*child, error)) (rate float64, err error) {
	home := filepath.Join(dir, "influxdb")
	if err := os.Mkdir(home, 0o755); err != nil {
		return 0, err
	}
	db, err := peers.StartInfluxDB(ctx, peers.InfluxDBOptions{Dir: home})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Kill()) }()
	if err := errors.Join(createDatabase(ctx, db.Addr()), db.Pause()); err != nil {
		return 0, err
	}
	writer, err := start(db.Addr())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, writer.kill()) }()
	if err := knocked(ctx, db.Addr()); err != nil {
		return 0, err
	}
	stick, err := begin(writer.pid())
	if err != nil {
		return 0, err
	}
	if err := db.Resume(); err != nil {
		return 0, err
	}
	enough := max(lines-2*int64(influx.DefaultConfig().Batch), lines/2)
	n, err := follow(ctx, enough, func(ctx context.Context) (int64, error) {
		p, err := writer.metrics(ctx)
		return p.sum(metric, ""), err
	})
	if err != nil {
		return 0, err
	}
	spent, err := stick.read()
	return float64(n) / spent.wall.Seconds(), err
}

func createDatabase(ctx context.Context, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+addr+"/query?"+url.Values{"q": {"CREATE DATABASE utility"}}.Encode(), nil)
	if err != nil {
		return err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("create the database: %s", res.Status), res.Body.Close())
	}
	return res.Body.Close()
}
