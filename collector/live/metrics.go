package live

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// SupplyCollector exposes the balances of zones and feeders. What is unknown
// has no series: a gap in a graph, not a zero.
type SupplyCollector struct{ state *State }

// NewSupplyCollector returns a collector of what the state holds at each
// scrape.
func NewSupplyCollector(s *State) SupplyCollector { return SupplyCollector{s} }

var (
	zoneLabels   = []string{"city", "zone", "utility"}
	feederLabels = []string{"city", "zone", "feeder"}

	requiredWatts = prometheus.NewDesc("imdad_supply_required_watts",
		"Power that the zone's plants declare to need.", zoneLabels, nil)
	deliveredWatts = prometheus.NewDesc("imdad_supply_delivered_watts",
		"Power that reaches the zone, by the meters heard lately.", zoneLabels, nil)
	requiredVolume = prometheus.NewDesc("imdad_supply_required_cubic_meters_per_second",
		"Water or fuel that the zone's plants declare to need.", zoneLabels, nil)
	deliveredVolume = prometheus.NewDesc("imdad_supply_delivered_cubic_meters_per_second",
		"Water or fuel that reaches the zone, by the meters heard lately.", zoneLabels, nil)
	heardRatio = prometheus.NewDesc("imdad_supply_heard_ratio",
		"Share of the zone's measured supply lines whose meter was heard lately.", zoneLabels, nil)
	feederDelivered = prometheus.NewDesc("imdad_feeder_delivered_watts",
		"Power through the feeder, by its own meter.", feederLabels, nil)
	feederMetered = prometheus.NewDesc("imdad_feeder_metered_watts",
		"Power through the meters of the feeder's plants that were heard lately.", feederLabels, nil)
	shortfallRatio = prometheus.NewDesc("imdad_supply_shortfall_ratio",
		"Share of what the zone requires now that it does not get for want of supply; low demand is no shortfall.", zoneLabels, nil)
	adequacyRatio = prometheus.NewDesc("imdad_supply_adequacy_ratio",
		"Share of the zone's plants, by contracted power, that have what they require; utility all takes the scarcest of each plant.", zoneLabels, nil)
	coverSeconds = prometheus.NewDesc("imdad_supply_cover_seconds",
		"How long the usable stock in the zone's tanks lasts at the usual draw.", zoneLabels, nil)
	eventsDropped = prometheus.NewDesc("imdad_tank_events_dropped_total",
		"Deliveries and draw-offs of tanks that were let go, as more had ended than could wait to be stored.", nil, nil)
	fleetSize = prometheus.NewDesc("imdad_fleet_size",
		"Meters: heard and silent of those registered, and those heard that are not registered.", []string{"state"}, nil)
)

// Describe implements prometheus.Collector.
func (c SupplyCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		requiredWatts, deliveredWatts, requiredVolume, deliveredVolume, heardRatio, feederDelivered, feederMetered, fleetSize,
		shortfallRatio, adequacyRatio, coverSeconds, eventsDropped,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c SupplyCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	supplies, feeders := c.state.Balances()
	for _, s := range supplies {
		required, delivered := requiredVolume, deliveredVolume
		if s.Utility == meter.Electricity || s.Utility == meter.Generator {
			required, delivered = requiredWatts, deliveredWatts
		}
		labels := []string{s.City, s.Zone, string(s.Utility)}
		if s.Required > 0 {
			gauge(required, s.Required, labels...)
		}
		if s.Known() {
			gauge(delivered, s.Value, labels...)
		}
		if s.Expected > 0 {
			gauge(heardRatio, float64(s.Heard)/float64(s.Expected), labels...)
		}
	}
	for _, f := range feeders {
		if f.Delivered.Known() {
			gauge(feederDelivered, f.Delivered.Value, f.City, f.Zone, f.Feeder)
		}
		if f.Metered.Known() {
			gauge(feederMetered, f.Metered.Value, f.City, f.Zone, f.Feeder)
		}
	}
	c.state.EachPoint(func(p *Point) {
		if p.Feeder != "" || p.Plant != "" {
			return
		}
		known := func(d *prometheus.Desc, v snapshot.Value, unit float64) {
			if v.Known() && !math.IsInf(float64(v), 0) {
				gauge(d, float64(v)*unit, p.City, p.Zone, string(p.Utility))
			}
		}
		known(shortfallRatio, p.Shortfall, 1)
		known(adequacyRatio, p.Adequacy, 1)
		known(coverSeconds, p.Cover, 3600)
	})
	ch <- prometheus.MustNewConstMetric(eventsDropped, prometheus.CounterValue, float64(c.state.tankEventsDropped()))
	n := c.state.Counts()
	gauge(fleetSize, float64(n.Heard), "heard")
	gauge(fleetSize, float64(n.Silent), "silent")
	gauge(fleetSize, float64(n.Unregistered), "unregistered")
}
