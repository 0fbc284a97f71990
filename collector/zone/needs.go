package zone

import "cmp"

// sectorNeeds are the bands of one sector, and the daily water of the usual
// plant that its least flow was found at.
type sectorNeeds struct {
	Requirement
	usualM3PerD float64
}

// Below leastVoltage contactors may drop out (IEC 60947-4-1 has them hold down
// to 85 % and lets them go between 75 and 20 %): as good as a cut. Above
// mostVoltage drives trip. Both are ours where the survey of a sector names no
// band.
const (
	leastVoltage = 75
	mostVoltage  = 120
	leastBar     = 2 // of the mains, where a plant stalls without water
)

// needs is what stalls each sector, as surveyed; where it says only that a
// plant stalls without water, half of the mean flow is the least.
var needs = map[Sector]sectorNeeds{
	RingSpinning: {Requirement: Requirement{VoltageMinPct: 88}},
	Weaving:      {},
	DyeHouse:     {Requirement{WaterM3H: 25, PressureBar: leastBar, HoldUpMin: 10}, 600},
	Food:         {Requirement{WaterM3H: 8, PressureBar: leastBar, HoldUpMin: 120}, 150},
	Pharma:       {Requirement{VoltageMinPct: 92, VoltageMaxPct: 108, WaterM3H: 1.25, PressureBar: leastBar}, 60},
	Plastics:     {Requirement: Requirement{RideThroughS: 300}},
	CementBlock:  {Requirement{WaterM3H: 0.73, PressureBar: leastBar}, 35},
}

// Requirement returns the bands that plants of the sector need, as those of
// its usual size do: voltage, ride-through, water flow and pressure, hold-up.
// What it uses of electricity, water and fuel is each plant's own.
func (s Sector) Requirement() Requirement {
	r := needs[s].Requirement
	r.VoltageMinPct = cmp.Or(r.VoltageMinPct, leastVoltage)
	r.VoltageMaxPct = cmp.Or(r.VoltageMaxPct, mostVoltage)
	return r
}

// Needs is the plant's requirement with its sector's bands where it has none
// of its own; the least flow of water goes by what the plant uses in a day.
func (p *Plant) Needs() Requirement {
	own, usual := p.Requirement, p.Sector.Requirement()
	own.VoltageMinPct = cmp.Or(own.VoltageMinPct, usual.VoltageMinPct)
	own.VoltageMaxPct = cmp.Or(own.VoltageMaxPct, usual.VoltageMaxPct)
	own.RideThroughS = cmp.Or(own.RideThroughS, usual.RideThroughS)
	own.HoldUpMin = cmp.Or(own.HoldUpMin, usual.HoldUpMin)
	if m3 := needs[p.Sector].usualM3PerD; m3 > 0 && own.WaterM3PerD > 0 {
		own.WaterM3H = cmp.Or(own.WaterM3H, usual.WaterM3H*own.WaterM3PerD/m3)
		own.PressureBar = cmp.Or(own.PressureBar, usual.PressureBar)
	}
	return own
}
