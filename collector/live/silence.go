package live

import "github.com/imdad-telemetry/imdad/collector/live/snapshot"

// How a supply cut looks that nobody measured: all the meters that live on one
// feeder, at least so many, fell silent within so many intervals of each
// other, and none had faded away in the hour before.
const (
	silentAtLeast   = 3
	silentTogether  = 3 // intervals
	fadedWithin     = hourMS
	feedersOfOneCut = 2 // that make it the substation's
)

// hush is what the meters that live on a feeder, or below it, say by silence.
// Those behind a gateway that is known to be offline say nothing, nor do those
// that went stale.
type hush struct {
	heard    int   // lately
	speaking int   // the same, or we have not listened for long enough
	waiting  int   // not due yet since the silent ones fell silent
	last     int64 // when the last of the silent ones was heard, ms
	latest   int64 // when the last of all was heard, ms
	interval int64 // the longest of theirs
	together int   // fell silent with the last one
	faded    int   // shortly before
}

// silences infers dead feeders and substations from silence.
func (v *view) silences() {
	h := v.hushes()
	v.doubtful(h)
	for i := range v.w.feeders {
		f := &v.w.feeders[i]
		silent := !v.known(f.meter) && h[i].cut() && v.othersSpeak(h, int32(i))
		v.infer(&v.d.Feeders[i].Electricity, f.silence, h[i], silent, v.byFeeder(int32(i)))
	}
	for i := range v.w.substations {
		s := &v.w.substations[i]
		all, silent := v.substationHush(h, s)
		silent = silent && !v.known(s.meter) && v.elsewhereSpeaks(h, s.city, int32(i), all.over())
		v.infer(&v.d.Substations[i].Electricity, s.silence, all, silent, v.bySubstation(s))
	}
}

// infer begins, keeps or ends a cut that is seen by silence. It ends when a
// meter speaks again.
func (v *view) infer(out *snapshot.Electricity, b *silence, h hush, silent bool, p byPlan) {
	out.Restored = max(out.Restored, b.Restored)
	switch {
	case out.Dead.Since > 0 || h.heard > 0 || v.known(int32(out.Meter)):
		if b.Since > 0 {
			*b = silence{Restored: v.now}
			out.Restored = v.now
		}
		return
	case b.Since == 0 && !silent:
		return
	case b.Since > 0 && v.s.doubted > 0 && h.last == 0:
		return // a crash ago; nobody has been silent since for long enough
	case b.Since == 0:
		b.Since = h.last
	}
	p.judge(b.Since, &b.Judged, &b.Planned, &b.Return)
	out.Dead = snapshot.Dead{Since: b.Since, Planned: b.Planned, Return: b.Return, Silent: true}
}

// hushes gathers, for each feeder, what its meters and those of its branches
// say. A meter that is not yet due says nothing: it speaks if it was heard
// after the silent ones fell silent.
func (v *view) hushes() []hush {
	v.w.hushes = sized(v.w.hushes, len(v.w.feeders))
	h := v.w.hushes
	clear(h)
	silent := func(meter int32) bool {
		return v.now-max(v.w.facts[meter].Heard, v.s.listening) > v.w.meters[meter].silence
	}
	v.eachMains(func(meter, feeder int32) {
		if !silent(meter) {
			return
		}
		for ; feeder >= 0; feeder = v.w.feeders[feeder].parent {
			h[feeder].last = max(h[feeder].last, v.w.facts[meter].Heard)
			h[feeder].interval = max(h[feeder].interval, v.w.meters[meter].interval)
		}
	})
	v.eachMains(func(meter, feeder int32) {
		heard, quiet := v.w.facts[meter].Heard, silent(meter)
		for ; feeder >= 0; feeder = v.w.feeders[feeder].parent {
			f := &h[feeder]
			f.latest = max(f.latest, heard)
			switch {
			case !quiet && heard > f.last+f.interval:
				f.speaking++
				f.heard += b2i(v.known(meter))
			case heard >= f.last-silentTogether*f.interval:
				f.together += b2i(quiet)
				f.waiting += b2i(!quiet)
			case heard >= f.last-fadedWithin:
				f.faded += b2i(quiet)
			}
		}
	})
	return h
}

// eachMains visits the meters without a battery that were ever heard, are not
// stale, and that no gateway excuses, with the feeder they live on. A gateway that came back
// excuses a meter until it is heard: its silence began while nobody could have
// heard it.
func (v *view) eachMains(visit func(meter, feeder int32)) {
	for i := range v.w.meters {
		at := &v.w.meters[i]
		if f := &v.w.facts[i]; at.feeder < 0 || f.Heard == 0 || f.Stale {
			continue
		}
		if at.gateway >= 0 {
			if g := &v.d.Gateways[at.gateway]; !g.Online || v.w.facts[i].Heard < g.Since {
				continue
			}
		}
		visit(int32(i), at.feeder)
	}
}

// doubtful says of silent meters whose supply may have been cut: none that
// lives on the feeder, or on one above it, has spoken since, and some are not
// due yet. It is over as soon as one speaks or all are silent.
func (v *view) doubtful(h []hush) {
	if !v.whole {
		return
	}
	v.eachMains(func(meter, feeder int32) {
		m := &v.d.Meters[meter]
		for ; m.Silent && !m.Doubtful && feeder >= 0; feeder = v.w.feeders[feeder].parent {
			m.Doubtful = h[feeder].speaking == 0 && h[feeder].waiting > 0
		}
	})
}

func (h hush) cut() bool { return h.speaking == 0 && h.together >= silentAtLeast && h.faded == 0 }

// over is when a cut is over so far that who is heard later goes on speaking:
// when everything stops at once, it is heard last at about the same time.
func (h hush) over() int64 { return h.last + h.interval }

// speaks tells whether anything on a feeder is heard, and was after a time.
func (v *view) speaks(h []hush, feeder int32, after int64) bool {
	own := v.w.feeders[feeder].meter
	return h[feeder].speaking > 0 && h[feeder].latest > after || v.known(own) && v.w.facts[own].Heard > after
}

// othersSpeak tells whether other feeders of the substation go on speaking, of
// which a branch's trunk is one; for an only feeder, whether others of its city
// do.
func (v *view) othersSpeak(h []hush, feeder int32) bool {
	after := h[feeder].over()
	for p := v.w.feeders[feeder].parent; p >= 0; p = v.w.feeders[p].parent {
		if v.speaks(h, p, after) {
			return true
		}
	}
	own := v.w.feeders[feeder].substation
	siblings := 0
	for _, i := range v.w.substations[own].feeders {
		if i == v.root(feeder) {
			continue
		}
		siblings++
		if v.speaks(h, i, after) {
			return true
		}
	}
	return siblings == 0 && v.elsewhereSpeaks(h, v.w.feeders[feeder].city, own, after)
}

// root returns the feeder of the substation that a branch hangs on.
func (v *view) root(feeder int32) int32 {
	for v.w.feeders[feeder].parent >= 0 {
		feeder = v.w.feeders[feeder].parent
	}
	return feeder
}

// elsewhereSpeaks tells whether feeders of other substations go on speaking.
func (v *view) elsewhereSpeaks(h []hush, city, substation int32, after int64) bool {
	for i := range v.w.feeders {
		f := &v.w.feeders[i]
		if f.city == city && f.substation != substation && v.speaks(h, int32(i), after) {
			return true
		}
	}
	return false
}

// substationHush joins what the feeders of a substation say: cut tells that
// all that have meters are, together.
func (v *view) substationHush(h []hush, s *substationAt) (all hush, cut bool) {
	feeders := 0
	for _, i := range s.feeders {
		if h[i].last == 0 {
			continue
		}
		feeders++
		all.speaking += h[i].speaking
		all.heard += h[i].heard
		all.together += h[i].together
		all.faded += h[i].faded
		all.last = max(all.last, h[i].last)
		all.interval = max(all.interval, h[i].interval)
	}
	for _, i := range s.feeders {
		if h[i].last > 0 && h[i].last < all.last-silentTogether*all.interval {
			all.faded++
		}
		if v.known(v.w.feeders[i].meter) {
			all.speaking++ // on a battery
			all.heard++
		}
	}
	return all, feeders >= feedersOfOneCut && all.cut()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
