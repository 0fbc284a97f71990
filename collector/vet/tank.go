package vet

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// How long what a meter at a tank said stands for readings that leave it out,
// by device time in ms.
const (
	celsiusStands = 3_600_000      // a temperature
	waterStands   = 24 * 3_600_000 // the water at the bottom, which changes slowly
	saidStands    = 24 * 3_600_000 // that it states a register itself
)

// overfull is how far, as a share of the height, a level may lie outside its
// tank before it is doubted: gauges are mounted and adjusted by hand.
const overfull = 0.01

var celsiusLimits, _ = rangeOf("temperature_c")

// tankGauge is what is known of the tank that a meter gauges: 80 bytes, for
// these meters only.
type tankGauge struct {
	def     *zone.Tank
	celsius stated
	water   stated  // l, at the bottom; NaN: some, nobody knows how much
	litres  float64 // that stood in the tank by the last reading; NaN: it did not say

	rank                 int   // of the most exact way in which the meter tells the level
	rankAt               int64 // when it last did so, ms; as the next two
	volumeAt, volume15At int64
}

// stated is a value and the device time at which it was said, ms.
type stated struct {
	value float64
	at    int64
}

func (s *stated) put(v float64, at int64) {
	if at >= s.at {
		*s = stated{v, at}
	}
}

// stands tells whether the value was said at a time or at most so many ms
// before it.
func (s *stated) stands(at, ms int64) bool { return s.at != 0 && s.at <= at && at-s.at <= ms }

// gaugeTank looks up the tank that the meter stands at.
func (d *device) gaugeTank() {
	var def *zone.Tank
	if d.def != nil {
		def, _ = d.registry.Tank(d.def.At)
	}
	switch {
	case def == nil:
		d.tank = nil
	case d.tank != nil && d.tank.def.ID == def.ID:
		d.tank.def = def
	default:
		d.tank = &tankGauge{def: def, litres: math.NaN()}
	}
}

// fillTank adds to the reading of a meter at a tank what follows from it and the
// tank's shape, where the meter does not state it itself:
//
//	level, ullage, percent ─► level_mm (tank_level_m of water)
//	                       ─► volume_l (tank_volume_m3 of water): all that stands in the tank
//	volume_l − free water  ─► product_volume_l, where the water at the bottom is known
//	             × VCF     ─► volume15_l, where the temperature is
//
// These are the total observed, gross observed and gross standard volume of API
// MPMS chapter 12.1.1. A level outside the tank counts as its bottom or top, and
// makes the reading suspect. What the meter sent stays as it is.
func (d *device) fillTank(r *meter.Reading) {
	k := d.tank
	if k == nil {
		return
	}
	g := k.read(r.Values)
	if h := k.def.Shape.HeightMM(); h > 0 && (g.level > (1+overfull)*h || g.level < -overfull*h) {
		d.note(r, foundLevel, meter.Suspect)
	}
	k.remember(&g, r.Time)
	if k.def.Utility == meter.Fuel {
		k.fillLevel(r, &g, "level_mm", 1)
		k.fillVolume(r, &g, "volume_l", 1)
		k.fillProduct(r, &g)
	} else {
		k.fillLevel(r, &g, "tank_level_m", 0.001)
		k.fillVolume(r, &g, "tank_volume_m3", 0.001)
	}
	k.litres = g.volume
}

// gauged is what one reading says of a tank; NaN: nothing.
type gauged struct {
	level, volume  float64 // mm; l, as it stands
	celsius        float64
	water, waterMM float64 // l; mm
	rank           int     // of the level
	says, says15   bool    // the volume, and that at 15 °C, itself
	watered        bool    // it is known whether there is water, if not how much
}

// levelWay is how a register tells a level. Rank 1 is the most exact.
type levelWay struct {
	rank int
	mm   float64 // of its unit; 0: it is a percentage of the height
	top  bool    // it is what is missing to the top
}

var levelWays = map[string]levelWay{
	"level_mm":       {rank: 1, mm: 1},
	"level_cm":       {rank: 2, mm: 10},
	"level_m":        {rank: 3, mm: 1000},
	"tank_level_m":   {rank: 3, mm: 1000},
	"ullage_mm":      {rank: 4, mm: 1, top: true},
	"ullage_cm":      {rank: 5, mm: 10, top: true},
	"ullage_m":       {rank: 6, mm: 1000, top: true},
	"tank_ullage_m":  {rank: 6, mm: 1000, top: true},
	"level_pct":      {rank: 7},
	"tank_level_pct": {rank: 7},
	"ullage_pct":     {rank: 8, top: true},
}

// read finds what the registers of a reading say of the tank.
func (k *tankGauge) read(values []meter.Value) gauged {
	nan := math.NaN()
	g := gauged{level: nan, volume: nan, celsius: nan, water: nan, waterMM: nan}
	for i := range values {
		v := values[i].Value
		switch values[i].Register {
		case "volume_l":
			g.volume, g.says = v, true
		case "tank_volume_m3":
			g.volume, g.says = 1000*v, true
		case "volume15_l":
			g.says15 = true
		case "temperature_c":
			if v >= celsiusLimits.low && v <= celsiusLimits.high {
				g.celsius = v
			}
		case "water_level_mm":
			g.waterMM = v
		case "water_volume_l":
			g.water = v
		default:
			k.readLevel(&g, values[i].Register, v)
		}
	}
	return g
}

// readLevel takes the most exact of the ways in which a level is told.
func (k *tankGauge) readLevel(g *gauged, register string, v float64) {
	way, ok := levelWays[register]
	if !ok || g.rank != 0 && g.rank < way.rank {
		return
	}
	height := k.def.Shape.HeightMM()
	if height <= 0 && (way.top || way.mm == 0) {
		return
	}
	mm := v * way.mm
	if way.mm == 0 {
		mm = v / 100 * height
	}
	if way.top {
		mm = height - mm
	}
	g.level, g.rank = mm, way.rank
}

// remember keeps what will stand for later readings, and completes this one
// with what stands from earlier ones.
func (k *tankGauge) remember(g *gauged, at int64) {
	if known(g.celsius) {
		k.celsius.put(g.celsius, at)
	} else if k.celsius.stands(at, celsiusStands) {
		g.celsius = k.celsius.value
	}
	k.rememberWater(g, at)
	// A worse way beside a better one would make the volume jump to and fro.
	if g.rank != 0 && k.rank != 0 && g.rank > k.rank && at-k.rankAt <= saidStands {
		g.level = math.NaN()
	} else if g.rank != 0 {
		k.rank, k.rankAt = g.rank, max(at, k.rankAt)
	}
	g.says = said(&k.volumeAt, g.says, at)
	g.says15 = said(&k.volume15At, g.says15, at)
}

// rememberWater finds how much of the content is water.
func (k *tankGauge) rememberWater(g *gauged, at int64) {
	g.watered = known(g.water) || known(g.waterMM)
	if !g.watered {
		if g.watered = k.water.stands(at, waterStands); g.watered {
			g.water = k.water.value
		}
		return
	}
	if !known(g.water) {
		if litres, ok := k.def.Shape.OfLevel(g.waterMM); ok || g.waterMM == 0 {
			g.water = litres
		}
	}
	k.water.put(g.water, at)
}

// said tells whether a meter states something itself, now or of late.
func said(last *int64, now bool, at int64) bool {
	if now {
		*last = max(*last, at)
	}
	return now || *last != 0 && at-*last <= saidStands
}

// fillLevel adds the level under its own name and unit.
func (k *tankGauge) fillLevel(r *meter.Reading, g *gauged, register string, unit float64) {
	if known(g.level) && !states(r, register) {
		r.Values = append(r.Values, meter.Value{Register: register, Value: g.level * unit})
	}
}

// fillVolume adds the volume under its own name and unit, by the shape where
// the meter never says it.
func (k *tankGauge) fillVolume(r *meter.Reading, g *gauged, register string, unit float64) {
	if !known(g.volume) && !g.says {
		if litres, ok := k.def.Shape.OfLevel(g.level); ok {
			g.volume = litres
		}
	}
	if known(g.volume) && !states(r, register) {
		r.Values = append(r.Values, meter.Value{Register: register, Value: g.volume * unit})
	}
}

// fillProduct adds the fuel without the water below it, as it stands and at
// 15 °C.
func (k *tankGauge) fillProduct(r *meter.Reading, g *gauged) {
	product := g.volume
	if g.watered {
		product = max(0, g.volume-g.water) // NaN where either is not known
	}
	if !known(product) || g.says15 {
		return
	}
	if g.watered && !states(r, "product_volume_l") {
		r.Values = append(r.Values, meter.Value{Register: "product_volume_l", Value: product})
	}
	if known(g.celsius) {
		r.Values = append(r.Values, meter.Value{Register: "volume15_l", Value: k.def.Volume15(product, g.celsius)})
	}
}

// known tells a number from NaN.
func known(v float64) bool { return v == v }

// states tells whether a reading has a register.
func states(r *meter.Reading, register string) bool {
	for i := range r.Values {
		if r.Values[i].Register == register {
			return true
		}
	}
	return false
}
