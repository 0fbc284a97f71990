package zone

import (
	"math"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// The forms of tanks.
const (
	HorizontalCylinder = "horizontal_cylinder"
	Upright            = "upright"
)

var tankForms = []string{HorizontalCylinder, Upright}

// Densities of the fuels at 15 °C, kg/m³, where the registry does not say, and
// the range for which the correction of ASTM D1250 is meant.
const (
	lightDensity = 840 // mazut and diesel, which are one in Syria
	heavyDensity = 950 // fuel oil
	leastDensity = 787.5
	mostDensity  = 1075
)

// Density is that of the tank's fuel, kg/m³ at 15 °C; 0 for water.
func (t *Tank) Density() float64 {
	switch {
	case t.Utility != meter.Fuel:
		return 0
	case t.DensityKgM3 > 0:
		return t.DensityKgM3
	case t.Fuel == "fuel_oil":
		return heavyDensity
	}
	return lightDensity
}

// Volume15 is what litres of the tank's fuel, seen at a temperature in °C, come
// to at 15 °C. Water stays what it is.
func (t *Tank) Volume15(litres, celsius float64) float64 {
	if t.Utility != meter.Fuel {
		return litres
	}
	return litres * Correction(t.Density(), celsius)
}

// Correction is the volume correction factor to 15 °C of a fuel of a density in
// kg/m³ at 15 °C: exp(−αΔt(1+0.8αΔt)) with α = K₀/ρ² + K₁/ρ and the constants
// of ASTM D1250 for fuel oils and heavy diesel, below 838.3 kg/m³ those for
// diesel and kerosene.
func Correction(density, celsius float64) float64 {
	k0, k1 := 186.9696, 0.4862
	if density < 838.3 {
		k0, k1 = 594.5418, 0
	}
	x := (k0/(density*density) + k1/density) * (celsius - 15)
	return math.Exp(-x * (1 + 0.8*x))
}

// HeightMM is the level of the full tank; 0 where the shape is not known.
func (s *TankShape) HeightMM() float64 {
	switch {
	case len(s.Strapping) > 0:
		return s.Strapping[len(s.Strapping)-1].LevelMM
	case s.Form == HorizontalCylinder:
		return 1000 * s.DiameterM
	case s.Form == Upright:
		return 1000 * s.LengthM
	}
	return 0
}

// OfLevel is how many litres stand below a level in mm: by the strapping table
// if there is one, else by the form. ok is false where the shape is not known.
// Levels outside the tank count as its bottom or top.
func (s *TankShape) OfLevel(mm float64) (litres float64, ok bool) {
	height := s.HeightMM()
	if height <= 0 || math.IsNaN(mm) {
		return 0, false
	}
	mm = min(height, max(0, mm))
	switch {
	case len(s.Strapping) > 0:
		return strapped(s.Strapping, mm), true
	case s.Form == HorizontalCylinder:
		return lying(s.DiameterM/2, s.LengthM, mm/1000), true
	}
	return math.Pi / 4 * s.DiameterM * s.DiameterM * mm, true // m² · mm = l
}

// OfUllage is OfLevel for the mm that are missing to the top.
func (s *TankShape) OfUllage(mm float64) (litres float64, ok bool) {
	return s.OfLevel(s.HeightMM() - mm)
}

// OfPercent is OfLevel for a level in % of the tank's height.
func (s *TankShape) OfPercent(pct float64) (litres float64, ok bool) {
	return s.OfLevel(s.HeightMM() * pct / 100)
}

// lying is the litres below h in a horizontal cylinder, all in m:
// V = L·[r²·acos((r−h)/r) − (r−h)·√(2rh−h²)].
func lying(r, length, h float64) float64 {
	segment := r*r*math.Acos((r-h)/r) - (r-h)*math.Sqrt(max(0, 2*r*h-h*h))
	return 1000 * length * segment
}

// strapped interpolates a table that rises; an empty tank stands before its
// first row.
func strapped(rows []Strapping, mm float64) float64 {
	i := slices.IndexFunc(rows, func(r Strapping) bool { return r.LevelMM >= mm })
	if rows[i].LevelMM == mm {
		return rows[i].VolumeL
	}
	var below Strapping
	if i > 0 {
		below = rows[i-1]
	}
	part := (mm - below.LevelMM) / (rows[i].LevelMM - below.LevelMM)
	return below.VolumeL + part*(rows[i].VolumeL-below.VolumeL)
}
