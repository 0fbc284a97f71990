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
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Set{net: newNetwork(reg)}
	var errs mistakes
	scopes := s.scopes(c.Rules, &errs)
	for k := range s.kinds {
		s.resolve(kindIndex(k), c.Rules, scopes, &errs)
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
	if snap.Registry != s.net.registry {
		panic("rule: the snapshot is of another registry than the set of rules")
	}
	e, ok := s.states.Get().(*evaluation)
	if !ok {
		e = newEvaluation(s)
	}
	e.begin(dst, snap, now.UnixMilli())
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
	dst = e.out
	e.out, e.snap = nil, nil
	s.states.Put(e)
	return dst
}

// at returns a kind's setting for one object.
func (s *Set) at(k kindIndex, c class, i int32) *setting {
	if of := s.kinds[k].of[c]; of != nil {
		return of[i]
	}
	return &s.kinds[k].everywhere
}
