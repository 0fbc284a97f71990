package decode

import (
	"fmt"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"

	pb "github.com/imdad-telemetry/imdad/collector/decode/sparkplugpb"
)

// edgeMetric is a metric as its birth defines it.
type edgeMetric struct {
	datatype uint32
	kept     bool // its values are stored, if they are numbers
	register string
	convert  meter.Conversion
	words    map[string]float64 // of the source's rule
	series   *meter.Series

	seen    uint64 // the message that last had it
	reading int32  // the reading there
	index   int32  // the value in that
}

// edgeScope is what is known of a node's own metrics, or of those of one of its
// devices. Aliases are looked up among the metrics of the topic's own device: the
// specification wants them unique within the whole node, but not everybody
// keeps to it.
type edgeScope struct {
	born    bool   // else its metrics are those that came with their names
	at      uint64 // the time of the birth message, in ms
	byName  map[string]*edgeMetric
	byAlias map[uint64]*edgeMetric
	series  []*meter.Series      // one a utility
	taken   map[registerKey]bool // what the metrics without a birth must keep off
}

// newScope returns an empty scope with room for as many metrics as before.
func newScope(before *edgeScope) *edgeScope {
	names, aliases := 0, 0
	if before != nil {
		names, aliases = len(before.byName), len(before.byAlias)
	}
	return &edgeScope{byName: make(map[string]*edgeMetric, names), byAlias: make(map[uint64]*edgeMetric, aliases)}
}

// Bounds on what is remembered. Measured, a node costs 3.4 kB with its meter, topic
// and sums, and a metric 140 bytes where others have its name, else 300: 370 MB at
// most, and 80 MB for 10,000 nodes of 30 metrics. Beyond the bounds births are
// refused.
const (
	maxNodes       = 1 << 14
	maxNodeMetrics = 1 << 14
	maxAllMetrics  = 1 << 20
	maxNodeDevices = 1 << 12
)

// draft is a metric of a birth whose name is not settled.
type draft struct {
	name   string
	metric *edgeMetric // with the register that it would have
	whole  edgeName    // what it has if that is somebody else's too
	key    registerKey
	ruled  bool // by the source
}

// registerKey is what must be the metric's alone.
type registerKey struct {
	utility  meter.Utility
	register string
}

// define makes the scope of a birth message.
func (h *sparkplugHost) define(to *route) (*edgeScope, *Reject) {
	s := newScope(to.edge.node.scopes[to.edge.topic.device])
	drafts := h.drafts[:0]
	reject := h.message.each(func(m *sparkplugMetric) *Reject {
		if len(m.name) == 0 {
			return nil
		}
		known, ok := s.byName[string(m.name)]
		if !ok {
			if reject := h.crowded(len(s.byName)); reject != nil {
				return reject
			}
			d := h.draft(to, m)
			known = d.metric
			s.byName[d.name] = known
			if known.kept {
				drafts = append(drafts, d)
			}
		}
		if m.hasAlias {
			s.byAlias[m.alias] = known
		}
		return nil
	})
	if reject != nil {
		return nil, reject
	}
	h.drafts = drafts
	settle(drafts)
	for i := range drafts {
		if reject := h.assign(to, s, &drafts[i]); reject != nil {
			return nil, reject
		}
	}
	return s, nil
}

// crowded refuses a message that brings more metrics than its length excuses.
func (h *sparkplugHost) crowded(brought int) *Reject {
	if most := min(maxShortMetrics+len(h.message.payload)/bytesPerMetric, maxNodeMetrics); brought >= most {
		return &Reject{TooLarge, fmt.Sprintf("more than %d metrics in %d bytes", most, len(h.message.payload))}
	}
	return nil
}

// wording is all that decides what a metric is stored as.
type wording struct {
	name, unit string
	datatype   uint32
	utility    meter.Utility
}

// meaning is what follows of it.
type meaning struct {
	name    string
	dropped bool // of the session, or by the source's word
	ruled   bool
	words   map[string]float64
	chosen  edgeName
	whole   edgeName
	utility meter.Utility
}

// draft works out what a metric is. Meters of one kind have the same metrics, and
// a rebirth has those of the birth: what a wording means is remembered, for
// maxFields of them at about 400 bytes each.
func (h *sparkplugHost) draft(to *route, m *sparkplugMetric) draft {
	what, ok := h.meanings[wording{string(m.name), string(m.unit()), m.datatype, to.utility}]
	if !ok {
		w := wording{string(m.name), string(m.unit()), m.datatype, to.utility}
		what = h.meaning(w)
		if len(h.meanings) >= maxFields {
			clear(h.meanings)
		}
		h.meanings[w] = what
	}
	return draft{
		name: what.name, whole: what.whole, ruled: what.ruled, key: registerKey{what.utility, what.chosen.register},
		metric: &edgeMetric{
			datatype: m.datatype, kept: !what.dropped && (m.numeric() || what.words != nil),
			register: what.chosen.register, convert: what.chosen.convert, words: what.words,
		},
	}
}

func (h *sparkplugHost) meaning(w wording) *meaning {
	what := &meaning{name: w.name}
	if what.dropped = controls(w.name); what.dropped {
		return what
	}
	keys := strings.Split(w.name, "/")
	what.utility = meter.Utility(orElse(string(w.utility), orElse(string(folderUtility(keys)), string(sparkplug.utility))))
	for _, r := range h.source.rules {
		if !fits(r.keys, keys) {
			continue
		}
		f := r.field(keys, field{})
		what.ruled, what.dropped, what.words = true, f.role == skipped, f.words
		what.chosen, what.whole = edgeName{f.name, f.convert}, edgeName{derived(keys), f.convert}
		what.utility = meter.Utility(orElse(string(f.utility), string(what.utility)))
		return what
	}
	what.chosen, what.whole = nameMetric(keys, w.unit, pb.DataType(w.datatype), what.utility)
	return what
}

// rename gives a draft another register.
func (d *draft) rename(n edgeName) {
	d.metric.register, d.metric.convert, d.key.register = n.register, n.convert, n.register
}

// numeric tells whether a metric's values are numbers, as far as its birth says.
func (m *sparkplugMetric) numeric() bool {
	t := pb.DataType(m.datatype)
	if t == pb.DataType_Unknown {
		return m.carrier != carriesText && m.carrier != carriesOther
	}
	return t <= pb.DataType_Boolean || t == pb.DataType_DateTime
}

// settle gives every metric a register of its own.
func settle(drafts []draft) {
	type claims struct{ all, ruled int32 }
	count := func() map[registerKey]claims {
		claimed := make(map[registerKey]claims, len(drafts))
		for i := range drafts {
			c := claimed[drafts[i].key]
			if c.all++; drafts[i].ruled {
				c.ruled++
			}
			claimed[drafts[i].key] = c
		}
		return claimed
	}
	loses := func(d *draft, c claims) bool { return c.all > 1 && (!d.ruled || c.ruled > 1) }
	lost := false
	for claimed, i := count(), 0; i < len(drafts); i++ {
		if d := &drafts[i]; loses(d, claimed[d.key]) {
			d.rename(d.whole)
			lost = true
		}
	}
	if !lost {
		return
	}
	for claimed, i := count(), 0; i < len(drafts); i++ {
		if d := &drafts[i]; loses(d, claimed[d.key]) {
			d.rename(d.distinct())
		}
	}
}

// distinct is a name that no other metric has: with a hash of its own path.
func (d *draft) distinct() edgeName {
	return edgeName{ending(d.whole.register, hash("_", d.name)), d.whole.convert}
}

// assign puts a settled draft into force.
func (h *sparkplugHost) assign(to *route, s *edgeScope, d *draft) *Reject {
	series, reject := h.seriesOf(to, s, d.key.utility)
	d.metric.series = series
	return reject
}

func (h *sparkplugHost) seriesOf(to *route, s *edgeScope, utility meter.Utility) (*meter.Series, *Reject) {
	for _, known := range s.series {
		if known.Utility == utility {
			return known, nil
		}
	}
	if !utility.Valid() {
		return nil, &Reject{BadTopic, fmt.Sprintf("the topic says the utility is %q; want one of %v", clip(string(utility)), meter.Utilities)}
	}
	series, reject := h.source.series(h.catalog, to, to.place.device, "", utility)
	if reject == nil {
		s.series = append(s.series, series)
	}
	return series, reject
}

// learn takes in a metric that no birth defined, for it came with its name.
// Without a birth nobody knows its neighbours, so it keeps its whole name.
func (h *sparkplugHost) learn(to *route, n *edgeNode, s *edgeScope, m *sparkplugMetric) (*edgeMetric, *Reject) {
	if more := s.size(); n.metrics+more > maxNodeMetrics || h.metrics+more > maxAllMetrics {
		return nil, tooManyMetrics(n.metrics + more)
	}
	if reject := h.crowded(h.learned); reject != nil {
		return nil, reject
	}
	h.learned++
	d := h.draft(to, m)
	if d.metric.kept {
		if !d.ruled && strings.Contains(d.name, "/") {
			d.rename(d.whole)
		}
		if s.takes(d.key) {
			d.rename(d.distinct())
		}
		s.taken[d.key] = true
		if reject := h.assign(to, s, &d); reject != nil {
			return nil, reject
		}
	}
	s.byName[d.name] = d.metric
	return d.metric, nil
}

// takes tells whether a metric of the scope has the register.
func (s *edgeScope) takes(key registerKey) bool {
	if s.taken == nil {
		s.taken = make(map[registerKey]bool)
		for _, m := range s.byName {
			if m.kept {
				s.taken[registerKey{m.series.Utility, m.register}] = true
			}
		}
	}
	return s.taken[key]
}

func tooManyMetrics(n int) *Reject {
	return &Reject{TooManyMeters, fmt.Sprintf("%d metrics of one node, or too many of all; at most %d and %d are kept apart", n, maxNodeMetrics, maxAllMetrics)}
}
