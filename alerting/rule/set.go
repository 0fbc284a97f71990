package rule

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Set is a configuration joined with a registry: every threshold of every
// object is worked out. It is immutable and safe for concurrent use.
type Set struct {
	net    *network
	kinds  [kindCount]ruling
	custom []customRule
	states sync.Pool // of *evaluation: memory from one Eval to the next
}

// ruling is a kind's settings. of is nil where everywhere holds.
type ruling struct {
	everywhere setting
	of         [classCount][]*setting
}

// New joins c with a registry. It reports every mistake that Validate finds,
// and references to what the registry does not have, each beginning with its
// key.
func New(c Config, reg *zone.Registry) (*Set, error) {
	s := &Set{net: newNetwork(reg)}
	var errs mistakes
	rules := c.check(&errs)
	scopes := s.scopes(rules, &errs)
	for k := range s.kinds {
		s.resolve(kindIndex(k), rules, scopes, &errs)
	}
	s.ownPressure()
	for i := range c.Custom {
		s.addCustom(&c.Custom[i], fmt.Sprintf("custom[%d]", i), &errs)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// To returns whom a kind, of the catalogue or a custom one, is addressed to.
func (s *Set) To(kind string) []Role {
	if k, ok := kindOf(kind); ok {
		return slices.Clone(catalogue[k].To)
	}
	for i := range s.custom {
		if s.custom[i].ID == kind {
			return slices.Clone(s.custom[i].To)
		}
	}
	return nil
}

// Eval appends the state of every condition that is not clear to dst. It does
// not change snap, and the same input gives the same output, in the same order.
// snap must be of the registry that the set was made for.
func (s *Set) Eval(dst []Finding, snap *snapshot.Snapshot, now time.Time) []Finding {
	dst, _ = s.Judge(dst, snap, now, func(Key) bool { return true })
	return dst
}

// Tally is how many conditions are in each State; those that are clear are not
// counted.
type Tally [Raised + 1]int

// Judge is Eval for who follows conditions over time. Nothing begins with one
// that is not raised, so that of those it appends only what is followed; all
// are counted. When a broker is away, each of a hundred thousand silent meters
// has three that are not known.
func (s *Set) Judge(dst []Finding, snap *snapshot.Snapshot, now time.Time, followed func(Key) bool) ([]Finding, Tally) {
	if snap.Registry != s.net.registry {
		panic("rule: the snapshot is of another registry than the set of rules")
	}
	e, ok := s.states.Get().(*evaluation)
	if !ok {
		e = newEvaluation(s)
	}
	e.begin(dst, snap, now.UnixMilli(), followed)
	e.judgeSites()
	e.judgeFeeders()
	e.judgeCities()
	e.judgeWater()
	e.judgeTanks()
	e.judgePlants()
	e.judgeZones()
	e.judgeGateways()
	e.judgeMeters()
	e.judgeParts()
	e.judgeCustom()
	e.finish()
	dst, tally := e.out, e.tally
	e.out, e.snap, e.followed = nil, nil, nil
	s.states.Put(e)
	return dst, tally
}

// at returns a kind's setting for one object.
func (s *Set) at(k kindIndex, c class, i int32) *setting {
	if of := s.kinds[k].of[c]; of != nil {
		return of[i]
	}
	return &s.kinds[k].everywhere
}
