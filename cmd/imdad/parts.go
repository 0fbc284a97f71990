package main

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// parts follows the health of the collector's own parts, for pipeline.fault.
type parts struct {
	collector *collector.Collector
	now       func() time.Time
	since     map[string]int64 // of the faults that stand, ms
}

func newParts(c *collector.Collector, now func() time.Time) *parts {
	return &parts{collector: c, now: now, since: make(map[string]int64)}
}

// list returns the parts as they are now. It is called from one goroutine.
func (p *parts) list() []snapshot.Part {
	s := p.collector.Status()
	broker := ""
	for _, session := range s.Sessions {
		if !session.Ready() {
			broker = session.ClientID + ": " + session.LastError
			break
		}
	}
	database := ""
	if s.Database.Degraded {
		database = s.Database.Cause
	}
	return []snapshot.Part{p.part("broker", broker), p.part("database", database), p.part("spool", s.Refusing)}
}

func (p *parts) part(name, fault string) snapshot.Part {
	if fault == "" {
		delete(p.since, name)
		return snapshot.Part{Name: name}
	}
	if p.since[name] == 0 {
		p.since[name] = p.now().UnixMilli()
	}
	return snapshot.Part{Name: name, Fault: fault, Since: p.since[name]}
}
