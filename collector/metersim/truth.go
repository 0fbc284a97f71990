package metersim

import (
	"bufio"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// ledger keeps what became of every message: the counters, and the truth file
// with each message in it exactly once.
type ledger struct {
	published atomic.Int64
	acked     [4]atomic.Int64 // by utility, in the order of meter.Utilities
	others    atomic.Int64    // acknowledged messages of no meter
	resent    atomic.Int64
	lost      atomic.Int64
	begun     atomic.Int64 // Run's start, ns since the epoch

	mu    sync.Mutex
	truth *bufio.Writer // nil: none
	line  []byte
	err   error
}

func newLedger(truth io.Writer) *ledger {
	l := &ledger{}
	if truth != nil {
		l.truth = bufio.NewWriterSize(truth, 256<<10)
	}
	return l
}

// settle books a message's final state and lets go of it.
func (l *ledger) settle(m *message, acked bool) {
	switch {
	case m.bundle != nil:
		l.settlePart(m.bundle, acked)
	case m.probe == nil:
		if acked {
			l.others.Add(1)
		}
	case acked:
		l.acked[m.probe.utility].Add(1)
		l.write(m.probe, m.payload(), true)
	default:
		l.write(m.probe, m.payload(), false)
	}
	m.release()
}

// write adds a line: what the probe's lines begin with, and the members of an
// object.
func (l *ledger) write(p *probe, object []byte, acked bool) {
	if l.truth == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := append(l.line[:0], p.truth...)
	b = append(b, object[1:len(object)-1]...)
	if acked {
		b = append(b, ",\"acked\":true}\n"...)
	} else {
		b = append(b, ",\"acked\":false}\n"...)
	}
	l.line = b
	if l.err == nil {
		_, l.err = l.truth.Write(b)
	}
}

// flush writes out the rest of the truth and returns the first error of it.
func (l *ledger) flush() error {
	if l.truth == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = l.truth.Flush()
	}
	if l.err != nil {
		return fmt.Errorf("write truth: %w", l.err)
	}
	return nil
}

func (l *ledger) summary() Summary {
	s := Summary{
		Published: l.published.Load(),
		Resent:    l.resent.Load(),
		Lost:      l.lost.Load(),
		Readings:  make(map[meter.Utility]int64, len(l.acked)),
	}
	s.Acknowledged = l.others.Load()
	for i, u := range meter.Utilities {
		n := l.acked[i].Load()
		s.Readings[u] = n
		s.Acknowledged += n
	}
	if begun := l.begun.Load(); begun != 0 {
		s.Elapsed = time.Since(time.Unix(0, begun))
	}
	return s
}
