package rule

import "github.com/imdad-telemetry/imdad/collector/live/snapshot"

type plantFields struct {
	CommonFields
	SupplyFields
	Sector          string  `expr:"sector"`
	ContractKVA     float64 `expr:"contract_kva"`
	WaterM3H        float64 `expr:"water_m3h"`
	PressureBar     float64 `expr:"pressure_bar"`
	FuelLPH         float64 `expr:"fuel_lph"`
	GeneratorKW     float64 `expr:"generator_kw"`
	RequiredKW      float64 `expr:"required_kw"`
	Capability      float64 `expr:"capability"`
	PowerCapability float64 `expr:"power_capability"`
	WaterCapability float64 `expr:"water_capability"`
	FuelCapability  float64 `expr:"fuel_capability"`
	InShift         bool    `expr:"in_shift"`
	Constrained     bool    `expr:"constrained"`
}

func (f *plantFields) fill(e *evaluation, r ref) {
	f.fillCommon(e, r)
	f.fillSupply(e, r)
	p, def := &e.snap.Plants[r.index], &e.net.registry.Plants()[r.index]
	f.Sector, f.ContractKVA = string(def.Sector), def.ContractKVA
	f.WaterM3H, f.PressureBar = float64(p.WaterM3H), float64(p.PressureBar)
	f.FuelLPH, f.GeneratorKW = float64(p.FuelLPH), float64(p.GeneratorKW)
	f.RequiredKW, f.Capability = float64(p.RequiredKW), float64(p.Capability)
	f.PowerCapability, f.WaterCapability = float64(p.PowerCapability), float64(p.WaterCapability)
	f.FuelCapability = float64(p.FuelCapability)
	f.InShift, f.Constrained = p.InShift, p.Constrained
}

// areaFields are those of a zone or a city.
type areaFields struct {
	CommonFields
	PowerRequiredKW   float64 `expr:"power_required_kw"`
	PowerDeliveredKW  float64 `expr:"power_delivered_kw"`
	PowerShortfall    float64 `expr:"power_shortfall_ratio"`
	WaterRequiredM3H  float64 `expr:"water_required_m3h"`
	WaterDeliveredM3H float64 `expr:"water_delivered_m3h"`
	WaterShortfall    float64 `expr:"water_shortfall_ratio"`
	WaterCoverH       float64 `expr:"water_cover_h"`
	FuelRequiredLPH   float64 `expr:"fuel_required_lph"`
	FuelDeliveredLPH  float64 `expr:"fuel_delivered_lph"`
	FuelCoverH        float64 `expr:"fuel_cover_h"`
	Adequacy          float64 `expr:"adequacy_ratio"`
	Affected          int     `expr:"affected"`
	Constrained       bool    `expr:"constrained"`
}

func (f *areaFields) fill(e *evaluation, r ref) {
	f.fillCommon(e, r)
	if r.class == cityClass {
		c := &e.snap.Cities[r.index]
		f.fillBalances(&c.Power, &c.Water, &c.Fuel)
		f.Adequacy, f.Affected = float64(c.AdequacyRatio), c.Affected
		return
	}
	z := &e.snap.Zones[r.index]
	f.fillBalances(&z.Power, &z.Water, &z.Fuel)
	f.Adequacy, f.Affected = float64(z.AdequacyRatio), z.Affected
}

func (f *areaFields) fillBalances(power, water, fuel *snapshot.Balance) {
	f.PowerRequiredKW, f.PowerDeliveredKW = float64(power.Required), float64(power.Delivered)
	f.PowerShortfall = float64(power.Shortfall)
	f.WaterRequiredM3H, f.WaterDeliveredM3H = float64(water.Required), float64(water.Delivered)
	f.WaterShortfall, f.WaterCoverH = float64(water.Shortfall), float64(water.CoverH)
	f.FuelRequiredLPH, f.FuelDeliveredLPH = float64(fuel.Required), float64(fuel.Delivered)
	f.FuelCoverH = float64(fuel.CoverH)
	f.Constrained = power.Constrained || water.Constrained || fuel.Constrained
}

type meterFields struct {
	CommonFields
	At             string  `expr:"at"`
	Utility        string  `expr:"utility"`
	Gateway        string  `expr:"gateway"`
	SilentS        float64 `expr:"silent_s"` // since the last message; unknown if there never was one
	SkewS          float64 `expr:"skew_s"`
	UnchangedCount int     `expr:"unchanged_intervals"`
	Silent         bool    `expr:"silent"`
}

func (f *meterFields) fill(e *evaluation, r ref) {
	f.fillCommon(e, r)
	m, def := &e.snap.Meters[r.index], &e.net.registry.Meters()[r.index]
	f.At, f.Utility, f.Gateway = def.At, string(def.Utility), def.Gateway
	f.SilentS = float64(snapshot.Unknown)
	if m.Heard > 0 {
		f.SilentS = float64(e.now-m.Heard) / 1000
	}
	f.SkewS, f.UnchangedCount, f.Silent = float64(m.SkewS), m.Unchanged, m.Silent
}
