package rule

import (
	"reflect"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// environment is what an expression sees of one object.
type environment interface {
	// fill takes the object's values from the snapshot; unknown ones are NaN.
	fill(e *evaluation, r ref)
}

// environments make empty ones, to be filled and to be checked against.
var environments = map[class]func() environment{
	cityClass:       func() environment { return new(areaFields) },
	zoneClass:       func() environment { return new(areaFields) },
	substationClass: func() environment { return new(siteFields) },
	feederClass:     func() environment { return new(feederFields) },
	pumpingClass:    func() environment { return new(mainFields) },
	lineClass:       func() environment { return new(mainFields) },
	tankClass:       func() environment { return new(tankFields) },
	plantClass:      func() environment { return new(plantFields) },
	meterClass:      func() environment { return new(meterFields) },
}

// Fields lists what expressions may name, by kind of object.
func Fields() map[zone.Kind][]string {
	out := make(map[zone.Kind][]string, len(classOf))
	for kind, c := range classOf {
		out[kind] = fieldNames(reflect.TypeOf(environments[c]()).Elem())
	}
	return out
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("expr"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func forEachWords() []string {
	kinds := make([]string, 0, len(classOf))
	for k := range classOf {
		kinds = append(kinds, string(k))
	}
	slices.Sort(kinds)
	return kinds
}

// CommonFields are those of every object. Hour and Weekday are local: 13.5 is
// half past one, and Sunday is 0.
type CommonFields struct {
	ID      string  `expr:"id"`
	Zone    string  `expr:"zone"`
	City    string  `expr:"city"`
	Hour    float64 `expr:"hour"`
	Weekday int     `expr:"weekday"`
}

func (c *CommonFields) fillCommon(e *evaluation, r ref) {
	at := e.net.at(r)
	c.ID, c.Zone, c.City = at.id, at.inZone, at.city
	local := time.UnixMilli(e.now).In(e.net.registry.Location(at.city))
	c.Hour = float64(local.Hour()) + float64(local.Minute())/60
	c.Weekday = int(local.Weekday())
}

// SupplyFields are what an electricity meter says. Voltages are shares of
// nominal, over the known phases.
type SupplyFields struct {
	PowerKW       float64 `expr:"power_kw"`
	ProjectedKW   float64 `expr:"projected_kw"`
	VoltageMin    float64 `expr:"voltage_min"`
	VoltageMax    float64 `expr:"voltage_max"`
	VoltageMean10 float64 `expr:"voltage_mean_10min"`
	Unbalance     float64 `expr:"unbalance"`
	FrequencyHz   float64 `expr:"frequency_hz"`
	CurrentA      float64 `expr:"current_a"`
	Dead          bool    `expr:"dead"`
	Planned       bool    `expr:"planned"`
}

func (s *SupplyFields) fillSupply(e *evaluation, r ref) {
	el := e.electricity(r)
	present := sumUp(&el.VoltagePU)
	s.PowerKW, s.ProjectedKW = float64(el.PowerKW), float64(el.Block.ProjectedKW)
	s.VoltageMin, s.VoltageMax = float64(present.worst), float64(present.best)
	s.VoltageMean10 = float64(sumUp(&el.VoltageMean).worst)
	s.Unbalance, s.FrequencyHz = float64(el.Unbalance), float64(el.FrequencyHz)
	s.CurrentA = float64(sumUp(&el.CurrentA).best)
	s.Dead, s.Planned = e.lifeAt(r) >= dead, e.lifeAt(r) == cut
}

type siteFields struct {
	CommonFields
	SupplyFields
}

func (f *siteFields) fill(e *evaluation, r ref) {
	f.fillCommon(e, r)
	f.fillSupply(e, r)
}

type feederFields struct {
	CommonFields
	SupplyFields
	CurrentMeanA float64 `expr:"current_mean_15min_a"`
	RatingA      float64 `expr:"rating_a"`
	GapRatio     float64 `expr:"gap_ratio"`
	RationingNow bool    `expr:"rationing_now"`
	Exempt       bool    `expr:"exempt"`
}

func (f *feederFields) fill(e *evaluation, r ref) {
	f.fillCommon(e, r)
	f.fillSupply(e, r)
	feeder := &e.snap.Feeders[r.index]
	f.CurrentMeanA, f.GapRatio = float64(feeder.CurrentMeanA), float64(feeder.GapRatio)
	f.RatingA = e.net.registry.Feeders()[r.index].RatingA
	f.RationingNow, f.Exempt = feeder.Plan.Off, feeder.Plan.Exempt
}

type mainFields struct {
	CommonFields
	FlowM3H      float64 `expr:"flow_m3h"`
	FlowMean5    float64 `expr:"flow_mean_5min_m3h"`
	FlowExpected float64 `expr:"flow_expected_m3h"`
	FlowRise     float64 `expr:"flow_rise_m3h"`
	PressureBar  float64 `expr:"pressure_bar"`
	PressureMean float64 `expr:"pressure_mean_5min_bar"`
	PressureDrop float64 `expr:"pressure_drop_ratio"`
}

func (f *mainFields) fill(e *evaluation, r ref) {
	f.fillCommon(e, r)
	w := (*snapshot.WaterFlow)(nil)
	if r.class == lineClass {
		w = &e.snap.WaterLines[r.index].WaterFlow
	} else {
		w = &e.snap.PumpingStations[r.index]
	}
	f.FlowM3H, f.FlowMean5, f.FlowExpected = float64(w.FlowM3H), float64(w.FlowMean5), float64(w.FlowExpected)
	f.FlowRise, f.PressureBar = float64(w.FlowRise), float64(w.PressureBar)
	f.PressureMean, f.PressureDrop = float64(w.PressMean5), float64(w.PressureDrop)
}

type tankFields struct {
	CommonFields
	VolumeL   float64 `expr:"volume_l"`
	UsableL   float64 `expr:"usable_l"`
	DailyL    float64 `expr:"daily_l"`
	CoverH    float64 `expr:"cover_h"`
	FullRatio float64 `expr:"full_ratio"`
	Fuel      string  `expr:"fuel"`
	Utility   string  `expr:"utility"`
}

func (f *tankFields) fill(e *evaluation, r ref) {
	f.fillCommon(e, r)
	t, def := &e.snap.Tanks[r.index], &e.net.registry.Tanks()[r.index]
	f.VolumeL, f.UsableL = float64(t.VolumeL), float64(t.UsableL)
	f.DailyL, f.CoverH = float64(t.DailyL), float64(t.CoverH)
	f.FullRatio = float64(t.VolumeL) / (1000 * def.CapacityM3)
	f.Fuel, f.Utility = def.Fuel, string(def.Utility)
}
