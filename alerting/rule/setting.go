package rule

import (
	"slices"
	"time"
)

// setting is a kind's thresholds and delays at one object, inheritance done.
type setting struct {
	enabled           bool
	severity          Severity
	stepped           Severity
	on, clear, severe float64
	onDelay, offDelay time.Duration
	latched           bool
	params            [4]float64
	// onSet tells that a rule at this very object fixed On.
	onSet bool
}

func (k *Kind) defaults() setting {
	s := setting{
		enabled: true, severity: k.Severity, stepped: k.Stepped, latched: k.Latched,
		on: k.On, clear: k.Clear, severe: k.Severe, onDelay: k.OnDelay, offDelay: k.OffDelay,
	}
	for i, p := range k.Params {
		s.params[i] = p.Default
	}
	return s
}

// with returns the setting changed by a rule.
func (s setting) with(r *Rule) setting {
	set(&s.enabled, r.Enabled)
	set(&s.on, r.On)
	set(&s.clear, r.Clear)
	set(&s.severe, r.Severe)
	set(&s.onDelay, r.OnDelay)
	set(&s.offDelay, r.OffDelay)
	if severity, ok := ParseSeverity(r.Severity); ok {
		s.severity = severity
		s.stepped = max(s.stepped, severity)
	}
	k, _ := kindOf(r.Kind)
	for name, v := range r.Params {
		if i := catalogue[k].param(name); i >= 0 {
			s.params[i] = v
		}
	}
	return s
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// checkOrder reports thresholds that contradict one another.
func (s *setting) checkOrder(path string, k *Kind, errs *mistakes) {
	above, order := func(a, b float64) bool { return a > b }, "above"
	if k.Falling {
		above, order = func(a, b float64) bool { return a < b }, "below"
	}
	if has(s.clear) && !above(s.on, s.clear) {
		errs.add(path, "%s: on (%v) must be %s clear (%v), or it would chatter", k.ID, s.on, order, s.clear)
	}
	if has(s.severe) && !above(s.severe, s.on) {
		errs.add(path, "%s: severe (%v) must be %s on (%v)", k.ID, s.severe, order, s.on)
	}
}

// depth tells how particular a place is.
type depth int

const (
	everywhere depth = iota
	inCity
	inZone
	atObject
	atMeter
)

// rung is one rule on the way from general to particular.
type rung struct {
	depth depth
	index int // in Config.Rules
}

// ladder orders rules from general to particular, the later of equals last.
func ladder(rungs []rung) []rung {
	slices.SortStableFunc(rungs, func(a, b rung) int {
		if a.depth != b.depth {
			return int(a.depth - b.depth)
		}
		return a.index - b.index
	})
	return rungs
}
