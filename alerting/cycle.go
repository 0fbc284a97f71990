package alerting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/forecast"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// forecastEvery is how often times to stall are worked out anew: they are
// hours, and their input moves once a quarter of an hour.
const forecastEvery = time.Minute

// round is what one cycle leaves to the next: memory, mostly.
type round struct {
	registry *zone.Registry
	set      *rule.Set
	snap     snapshot.Snapshot
	findings []rule.Finding
	forecast *forecast.Forecaster
	stalls   [][3]snapshot.Stall // by plant, as worked out last
	foreseen time.Time           // when
	recount  bool                // other rules or objects: some alarms may be watched no longer
}

// Cycle takes a snapshot, judges it, and brings the alarms and the outbox up
// to date: what it returns nil for is on disk.
func (m *Manager) Cycle(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opts.Now()
	r := &m.round
	m.opts.Source.Snapshot(&r.snap)
	r.snap.Parts = m.opts.Parts()
	if err := m.follow(); err != nil {
		return err
	}
	if err := m.retire(ctx, now); err != nil {
		return err
	}
	r.foresee(now)
	var tally rule.Tally
	r.findings, tally = r.set.Judge(r.findings[:0], &r.snap, now, m.book.Follows)
	r.findings = m.floods(r.findings, now)
	m.metrics.observe(tally)
	if _, err := m.book.Step(ctx, now, r.findings); err != nil {
		return fmt.Errorf("keep the alarms: %w", err)
	}
	if err := m.notifier.Upcoming(ctx, now, r.upcoming(now, m.opts.Config.Upcoming)); err != nil {
		return fmt.Errorf("announce planned cuts: %w", err)
	}
	if err := m.notifier.Plan(ctx, now); err != nil {
		return fmt.Errorf("plan notices: %w", err)
	}
	return nil
}

// floods adds what is to be said of people who get too many alarms.
func (m *Manager) floods(findings []rule.Finding, now time.Time) []rule.Finding {
	rates := m.notifier.Rates(now)
	for _, person := range slices.Sorted(maps.Keys(rates)) {
		if f := m.round.set.Flood(person, rates[person]); f.State != rule.Clear {
			findings = append(findings, f)
		}
	}
	return findings
}

// follow joins the rules with the registry that the snapshot is of: a new one
// comes into force with the first snapshot that has it.
func (m *Manager) follow() error {
	r := &m.round
	if r.snap.Registry == r.registry {
		return nil
	}
	set, err := rule.New(m.rules, r.snap.Registry)
	if err != nil {
		return fmt.Errorf("join the rules with the new registry: %w", err)
	}
	r.set, r.registry, r.stalls, r.foreseen, r.recount = set, r.snap.Registry, nil, time.Time{}, true
	return nil
}

// retire ends the alarms that the rules in force know nothing of: nothing else
// ever would, where they are latched or shelved.
func (m *Manager) retire(ctx context.Context, now time.Time) error {
	r := &m.round
	if !r.recount {
		return nil
	}
	if _, err := m.book.Retire(ctx, now, r.set.Watches); err != nil {
		return fmt.Errorf("end alarms that are watched no longer: %w", err)
	}
	r.recount = false
	return nil
}

// foresee puts the forecasts into the snapshot, new ones once a minute.
func (r *round) foresee(now time.Time) {
	plants := r.snap.Plants
	if since := now.Sub(r.foreseen); len(r.stalls) != len(plants) || since >= forecastEvery || since < 0 {
		r.forecast.Fill(&r.snap)
		r.foreseen = now
		r.stalls = r.stalls[:0]
		for i := range plants {
			r.stalls = append(r.stalls, plants[i].Stall)
		}
		return
	}
	for i := range plants {
		plants[i].Stall = r.stalls[i]
	}
}

// upcoming lists the planned cuts that begin within the lead time.
func (r *round) upcoming(now time.Time, lead time.Duration) []notify.Upcoming {
	var list []notify.Upcoming
	horizon := now.Add(lead).UnixMilli()
	feeders := r.registry.Feeders()
	for i := range r.snap.Feeders {
		p := &r.snap.Feeders[i].Plan
		if p.Off || p.Exempt || p.Start <= r.snap.Now || p.Start > horizon {
			continue
		}
		f := &feeders[i]
		list = append(list, notify.Upcoming{
			Feeder: f.ID, From: time.UnixMilli(p.Start), To: time.UnixMilli(p.End),
			Zone: f.Zone, City: r.registry.CityOf(f.Zone),
		})
	}
	return list
}
