package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// scope is where a rule holds.
type scope struct {
	depth depth
	at    ref
}

// scopes finds the place of every rule. Those that have a wrong one it makes
// rules of no kind.
func (s *Set) scopes(rules []Rule, errs *mistakes) []scope {
	out := make([]scope, len(rules))
	for i, r := range rules {
		path := fmt.Sprintf("rules[%d].at", i)
		sc, ok := s.scope(r.At)
		k, sound := kindOf(r.Kind)
		switch {
		case !ok:
			errs.add(path, "there is no city, zone, object or meter %q%s", r.At, meant(r.At, s.net.ids()))
			rules[i].Kind = ""
		case sound && !holdsIn(k, sc):
			errs.add(path, "%s is judged for %s; %q is none, nor has any in it", r.Kind, aboutWords(k), r.At)
			rules[i].Kind = ""
		}
		out[i] = sc
	}
	return out
}

func (s *Set) scope(at string) (scope, bool) {
	if at == "" {
		return scope{everywhere, noRef}, true
	}
	if parts := strings.Split(at, "/"); len(parts) == 3 {
		i, ok := s.net.registry.MeterIndex(parts[0], meter.Utility(parts[1]), parts[2])
		if !ok {
			return scope{}, false
		}
		return scope{atMeter, ref{meterClass, int32(i)}}, true
	}
	switch r := s.net.find(at); r.class {
	case noClass:
		return scope{}, false
	case cityClass:
		return scope{inCity, r}, true
	case zoneClass:
		return scope{inZone, r}, true
	default:
		return scope{atObject, r}, true
	}
}

// ids lists what a rule may be at, meters aside.
func (n *network) ids() []string {
	var ids []string
	for c := range meterClass {
		for _, p := range n.places[c] {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// classesOf lists the lists of objects for which a kind keeps settings. Those
// of a gateway are its zone's.
func classesOf(k kindIndex) []class {
	var out []class
	for _, about := range catalogue[k].About {
		if c, ok := classOf[about]; ok {
			out = append(out, c)
		} else if about == GatewayObject {
			out = append(out, zoneClass)
		}
	}
	return out
}

// holdsIn tells whether a kind is judged for anything in a scope.
func holdsIn(k kindIndex, sc scope) bool {
	classes := classesOf(k)
	switch {
	case sc.depth == everywhere:
		return true
	case len(classes) == 0:
		return false
	case sc.depth == inCity, slices.Contains(classes, sc.at.class):
		return true
	case sc.depth == inZone:
		return classes[0] != cityClass
	}
	return sc.depth == atObject && classes[0] == meterClass
}

func aboutWords(k kindIndex) string {
	about := words(catalogue[k].About)
	for i, w := range about {
		about[i] = "a " + strings.ReplaceAll(w, "_", " ")
	}
	if len(classesOf(k)) == 0 {
		return either(about) + ", which lies nowhere; leave `at` out"
	}
	return either(about)
}

// resolve works out a kind's setting for every object that rules treat apart.
// Objects with the same rules share one.
func (s *Set) resolve(k kindIndex, rules []Rule, scopes []scope, errs *mistakes) {
	general, last := catalogue[k].defaults(), -1
	apart := make(map[ref][]rung)
	for i := range rules {
		if rules[i].Kind != catalogue[k].ID {
			continue
		}
		if scopes[i].depth == everywhere {
			general, last = general.with(&rules[i]), i
			continue
		}
		apart[scopes[i].at] = append(apart[scopes[i].at], rung{scopes[i].depth, i})
	}
	s.kinds[k].everywhere = general
	if last >= 0 {
		general.checkOrder(fmt.Sprintf("rules[%d]", last), &catalogue[k], errs)
	}
	if len(apart) == 0 {
		return
	}
	shared := make(map[string]*setting)
	for _, c := range classesOf(k) {
		of := make([]*setting, s.net.count(c))
		for i := range of {
			of[i] = s.resolveAt(k, s.net.above(c, int32(i)), rules, apart, shared, errs)
		}
		s.kinds[k].of[c] = of
	}
}

func (s *Set) resolveAt(k kindIndex, above []ref, rules []Rule, apart map[ref][]rung, shared map[string]*setting, errs *mistakes) *setting {
	var rungs []rung
	for _, r := range above {
		rungs = append(rungs, apart[r]...)
	}
	rungs = ladder(rungs)
	key := fmt.Sprint(rungs)
	if known, ok := shared[key]; ok {
		return known
	}
	own := s.kinds[k].everywhere
	for _, r := range rungs {
		own = own.with(&rules[r.index])
		own.onSet = own.onSet || r.depth >= atObject && rules[r.index].On != nil
	}
	if n := len(rungs); n > 0 {
		own.checkOrder(fmt.Sprintf("rules[%d]", rungs[n-1].index), &catalogue[k], errs)
	}
	shared[key] = &own
	return &own
}

// above lists the places whose rules reach an object, itself included.
func (n *network) above(c class, i int32) []ref {
	own := ref{c, i}
	out := []ref{own}
	if c == meterClass && n.meterAt[i].class != noClass {
		out = append(out, n.meterAt[i])
	}
	if z := n.zoneOf[c][i]; z >= 0 && c != zoneClass {
		out = append(out, ref{zoneClass, z})
	}
	if city := n.cityOf[c][i]; city >= 0 && c != cityClass {
		out = append(out, ref{cityClass, city})
	}
	return slices.Compact(out)
}

// ownPressure makes the pressure that a plant states in the registry its
// threshold, unless a rule at that very plant says otherwise.
func (s *Set) ownPressure() {
	r := &s.kinds[pressureLow]
	own := make([]*setting, len(s.net.places[plantClass]))
	for i, p := range s.net.registry.Plants() {
		was := s.at(pressureLow, plantClass, int32(i))
		own[i] = was
		if stated := p.Requirement.PressureBar; stated > 0 && !was.onSet {
			changed := *was
			changed.on, changed.clear = stated, stated+was.clear-was.on
			own[i] = &changed
		}
	}
	r.of[plantClass] = own
}
