package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// measurement is what it took to empty a session.
type measurement struct {
	messages  int64
	taken     cost  // until all messages were acknowledged
	delivered cost  // until the sink had all lines; the same as taken for the bare client
	start     int64 // peak of memory before the first message
	peak      int64 // until the end
	page      page  // the service's metrics at the end
}

// cost is measured from the moment that the frozen server is let go.
type cost struct{ wall, cpu time.Duration }

func (m measurement) rate() float64      { return float64(m.messages) / m.taken.wall.Seconds() }
func (m measurement) delivery() float64  { return float64(m.messages) / m.delivered.wall.Seconds() }
func (m measurement) cpuTaken() float64  { return micros(m.taken.cpu, m.messages) }
func (m measurement) cpuAll() float64    { return micros(m.delivered.cpu, m.messages) }
func (m measurement) megabytes() float64 { return float64(m.peak) / 1e6 }
func (m measurement) atStart() float64   { return float64(m.start) / 1e6 }

func micros(cpu time.Duration, messages int64) float64 {
	return float64(cpu.Nanoseconds()) / 1e3 / float64(messages)
}

// meterstick takes costs of one process.
type meterstick struct {
	pid   int
	begun time.Time
	cpu   time.Duration
}

func begin(pid int) (meterstick, error) {
	cpu, err := cpuTime(pid)
	return meterstick{pid: pid, begun: time.Now(), cpu: cpu}, err
}

func (s meterstick) read() (cost, error) {
	wall := time.Since(s.begun)
	cpu, err := cpuTime(s.pid)
	return cost{wall, cpu - s.cpu}, err
}

// drainBare empties a copy of the session with the bare client.
func (b *bench) drainBare(ctx context.Context, s *session) (m measurement, err error) {
	m.messages = s.messages
	dir, err := b.folder("bare")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	broker, err := s.startCopy(ctx, filepath.Join(dir, "broker"))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, broker.Kill()) }()
	if err := broker.Pause(); err != nil {
		return m, err
	}
	client, err := spawn(ctx, "bare", dir, "-addr-file", b.self, "bare", "-broker", broker.Addr())
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, client.kill()) }()
	if err := m.release(ctx, client, broker, nil); err != nil {
		return m, err
	}
	m.delivered = m.taken
	return m, client.stop()
}

// drainService empties a copy of the session with the service, into a sink. Before the service is stopped, look sees it.
func (b *bench) drainService(ctx context.Context, s *session, series int, look func(context.Context, *child) error) (m measurement, err error) {
	m.messages = s.messages
	dir, err := b.folder("service")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sink, err := b.startSink(ctx, dir, "", "")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, sink.kill()) }()
	broker, err := s.startCopy(ctx, filepath.Join(dir, "broker"))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, broker.Kill()) }()
	if err := broker.Pause(); err != nil {
		return m, err
	}
	service, err := b.startService(ctx, setup{
		dir: dir, broker: broker.Addr(), database: sink.addr, cities: s.fleet.file, series: series,
	})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, service.kill()) }()
	if err := m.release(ctx, service, broker, sink); err != nil {
		return m, err
	}
	if look != nil {
		if err := look(ctx, service); err != nil {
			return m, err
		}
	}
	return m, service.stop()
}

// frozen is a server that waits to be let go.
type frozen interface {
	Addr() string
	Resume() error
}

// release lets the broker go and measures until everything is done.
func (m *measurement) release(ctx context.Context, side *child, broker frozen, sink *child) error {
	if _, err := side.metrics(ctx); err != nil { // it has started and answers
		return err
	}
	if err := knocked(ctx, broker.Addr()); err != nil {
		return err
	}
	var err error
	if m.start, err = status(side.pid(), "VmHWM"); err != nil {
		return err
	}
	stick, err := begin(side.pid())
	if err != nil {
		return err
	}
	if err := broker.Resume(); err != nil {
		return err
	}
	_, err = follow(ctx, m.messages, func(ctx context.Context) (int64, error) {
		p, err := side.metrics(ctx)
		return p.done(), err
	})
	if err != nil {
		return fmt.Errorf("take the messages: %w", err)
	}
	if m.taken, err = stick.read(); err != nil {
		return err
	}
	if sink != nil {
		if err := m.deliver(ctx, stick, side, sink); err != nil {
			return err
		}
	}
	m.peak, err = status(side.pid(), "VmHWM")
	return err
}

// deliver waits until the sink has a line of every message, and checks that the service says so too.
func (m *measurement) deliver(ctx context.Context, stick meterstick, side, sink *child) (err error) {
	_, err = follow(ctx, m.messages, func(ctx context.Context) (int64, error) {
		// Derived lines are among them, some hundreds a minute: the wait ends so much early.
		p, err := sink.metrics(ctx)
		return p.sum(metricTaken, ""), err
	})
	if err != nil {
		return fmt.Errorf("deliver the lines: %w", err)
	}
	if m.delivered, err = stick.read(); err != nil {
		return err
	}
	return eventually(ctx, startPatience, "the service's books agree with the sink", func() (bool, error) {
		m.page, err = side.metrics(ctx)
		if spooled := m.page.sum(metricReadings, "spooled"); err == nil && spooled != m.messages {
			return false, fmt.Errorf("%d readings of %d messages were spooled", spooled, m.messages)
		}
		ours := m.page.sum(metricLines, "derived") + m.page.sum(metricLines, "alarm")
		return m.page.sum(metricWritten, "") == m.messages+ours, err
	})
}
