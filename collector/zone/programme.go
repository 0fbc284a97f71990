package zone

import "time"

// Ahead is how far, at least, a programme looks for the next block, and how far
// back for the beginning of the present one.
const Ahead = 8 * 24 * time.Hour

// maxOff is the longest block that one rule may announce.
const maxOff = 7 * 24 * time.Hour

// Plan is where a feeder stands in its rationing programme.
type Plan struct {
	Off    bool      // by plan it is cut now
	Start  time.Time // of the present block, or else of the next; zero: none within Ahead
	End    time.Time
	Exempt bool // it is announced never to be cut
}

// Programme is the rationing programme of a registry: when which feeder is off
// by plan. Blocks that touch or overlap are one. A feeder is off with the
// feeders that it branches from; an exempt one is never off, whatever else is
// announced for it or above it. It is safe for concurrent use.
type Programme struct {
	feeders map[string]feederRules
}

// feederRules are the rules that concern one feeder.
type feederRules struct {
	cuts, exempt []*ration
}

// newProgramme builds the programme of a registry that was checked.
func newProgramme(r *Registry) (*Programme, error) {
	p := &Programme{feeders: make(map[string]feederRules)}
	direct := make(map[string][]*ration)
	for i := range r.rationing {
		def := &r.rationing[i]
		rule, err := newRation(def, r.locationOfRation(def))
		if err != nil {
			return nil, err
		}
		for _, id := range r.feedersOf(def) {
			if def.Exempt {
				of := p.feeders[id]
				of.exempt = append(of.exempt, rule)
				p.feeders[id] = of
			} else {
				direct[id] = append(direct[id], rule)
			}
		}
	}
	if len(direct) == 0 && len(p.feeders) == 0 {
		return p, nil
	}
	for i := range r.feeders {
		of := p.feeders[r.feeders[i].ID]
		for f, ok := &r.feeders[i], true; ok; f, ok = r.Feeder(f.From) {
			of.cuts = append(of.cuts, direct[f.ID]...)
		}
		p.feeders[r.feeders[i].ID] = of
	}
	return p, nil
}

// locationOfRation is the time zone that a rule is announced in.
func (r *Registry) locationOfRation(def *Rationing) *time.Location {
	id := def.Zone
	if id == "" && len(def.Feeders) > 0 {
		id = def.Feeders[0]
	}
	return r.Location(r.objects[id].City)
}

// feedersOf are the feeders that a rule names.
func (r *Registry) feedersOf(def *Rationing) []string {
	if def.Zone == "" {
		return def.Feeders
	}
	var out []string
	for i := range r.feeders {
		if r.feeders[i].Zone == def.Zone {
			out = append(out, r.feeders[i].ID)
		}
	}
	return out
}

// blocks returns when, in a window and at a stage, the feeder is off and when
// it is exempt.
func (of feederRules) blocks(window span, stage int) (off, exempt []span) {
	for _, rule := range of.exempt {
		if stage >= rule.stage {
			exempt = append(exempt, rule.valid)
		}
	}
	for _, rule := range of.cuts {
		if stage >= rule.stage {
			off = append(off, rule.during(window)...)
		}
	}
	exempt = merge(exempt)
	return without(merge(off), exempt), exempt
}
