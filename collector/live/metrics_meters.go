package live

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// MeterCollector exposes every register of every meter heard lately, and what
// is known of its clock, up to a bound. Series of a silent meter end, since a value that stays for ever looks
// like a measurement.
type MeterCollector struct {
	state  *State
	config Config
}

// NewMeterCollector returns a collector of what the state holds at each scrape.
func NewMeterCollector(s *State, c Config) MeterCollector { return MeterCollector{s, c} }

var (
	meterValue = prometheus.NewDesc("imdad_meter_value",
		"Last value of a register, in the unit its name ends with.", []string{"zone", "utility", "meter", "register"}, nil)
	meterLastSeen = prometheus.NewDesc("imdad_meter_last_seen_timestamp_seconds",
		"When the meter was last heard.", []string{"zone", "utility", "meter"}, nil)
	meterSkew = prometheus.NewDesc("imdad_meter_clock_skew_seconds",
		"How far the meter's clock is ahead of ours, median of its last three messages.", []string{"zone", "utility", "meter"}, nil)
	meterLeftOut = prometheus.NewDesc("imdad_meter_series_left_out",
		"Series left out of this page for want of room under metrics.max_series.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c MeterCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- meterValue
	ch <- meterLastSeen
	ch <- meterSkew
	ch <- meterLeftOut
}

// Collect implements prometheus.Collector. The values are copied out first:
// whoever scrapes slowly must not hold up the stream.
func (c MeterCollector) Collect(ch chan<- prometheus.Metric) {
	samples, leftOut := c.samples()
	for i := range samples {
		ch <- &samples[i]
	}
	ch <- prometheus.MustNewConstMetric(meterLeftOut, prometheus.GaugeValue, float64(leftOut))
}

func (c MeterCollector) samples() (samples []sample, leftOut int) {
	s := c.state
	now := s.now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	room := 0
	for i := range s.meters {
		room += len(s.meters[i].registers) + perMeter
	}
	samples = make([]sample, 0, min(room, c.config.MaxSeries))
	for i := range s.meters {
		m := &s.meters[i]
		if m.series == nil || now-m.received > c.config.Expire.Milliseconds() {
			continue
		}
		registers, skew := s.shown(m)
		series := len(registers) + 1
		if !math.IsNaN(skew) {
			series++
		}
		if len(samples)+series > c.config.MaxSeries {
			leftOut += series
			continue
		}
		own := labels("meter", m.series.Meter, "utility", string(m.series.Utility), "zone", m.series.Zone)
		samples = append(samples, sample{meterLastSeen, own, float64(m.received) / 1000})
		if !math.IsNaN(skew) {
			samples = append(samples, sample{meterSkew, own, skew})
		}
		for r := range registers {
			reg := &registers[r]
			// Sorted by name: meter, register, utility, zone.
			all := []*dto.LabelPair{own[0], label("register", s.kinds[reg.kind].name), own[1], own[2]}
			samples = append(samples, sample{meterValue, all, reg.value})
		}
	}
	return samples, leftOut
}

// perMeter is the most series that a meter has besides its registers.
const perMeter = 2

// shown is what a meter says that is true now, and how far its clock is ahead,
// in s; NaN: not known.
func (s *State) shown(m *meterState) (registers []register, skew float64) {
	if m.place == nil {
		return m.registers, nan
	}
	skew = m.place.facts.medianSkew()
	if s.world.hidden(m.place.at, m.place.facts) {
		return nil, skew
	}
	return m.registers, skew
}

// sample is a gauge whose labels are shared between the series of a meter:
// with a hundred thousand registers, making them anew for each costs more than
// all the rest of a scrape.
type sample struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(m *dto.Metric) error {
	m.Label = s.labels
	m.Gauge = &dto.Gauge{Value: &s.value}
	return nil
}

// labels makes pairs of alternating names and values, which must come sorted.
func labels(pairs ...string) []*dto.LabelPair {
	out := make([]*dto.LabelPair, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, label(pairs[i], pairs[i+1]))
	}
	return out
}

func label(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }
