package zone

import (
	"fmt"
	"math"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// shape checks what turns levels into volumes, and the stock that stays.
func (c *checker) shape(at Place, o Tank) {
	c.quantity(at.key("dead_m3"), o.DeadM3)
	if o.CapacityM3 > 0 && o.DeadM3 >= o.CapacityM3 {
		c.add(at.key("dead_m3"), "%v m³ of dead stock leave nothing of %v m³", o.DeadM3, o.CapacityM3)
	}
	if d := o.DensityKgM3; d != 0 && o.Utility == meter.Water {
		c.add(at.key("density_kg_m3"), "this is for fuels; remove it, or say utility: fuel")
	} else if d != 0 && !(d >= leastDensity && d <= mostDensity) {
		c.add(at.key("density_kg_m3"), "%v is impossible; give the density at 15 °C, %v to %v kg/m³", d, leastDensity, mostDensity)
	}
	at = at.key("shape")
	c.quantity(at.key("diameter_m"), o.Shape.DiameterM)
	c.quantity(at.key("length_m"), o.Shape.LengthM)
	measured := o.Shape.DiameterM != 0 || o.Shape.LengthM != 0
	switch {
	case len(o.Shape.Strapping) > 0:
		if !c.strapping(at, o.Shape.Strapping) {
			return
		}
	case o.Shape.Form == "" && measured:
		c.add(at.key("form"), "missing; use %s", either(tankForms))
		return
	case o.Shape.Form == "":
		return
	case !slices.Contains(tankForms, o.Shape.Form):
		c.add(at.key("form"), "unknown form %s%s", excerpt(o.Shape.Form), c.suggest(o.Shape.Form, tankForms))
		return
	case o.Shape.DiameterM == 0 || o.Shape.LengthM == 0:
		c.add(at, "the form %s needs diameter_m and length_m", o.Shape.Form)
		return
	case !physical(o.Shape.DiameterM) || !physical(o.Shape.LengthM):
		return // said above
	}
	c.shapeAgrees(at, o)
}

// strapping wants rows that rise.
func (c *checker) strapping(at Place, rows []Strapping) bool {
	if len(rows) < 2 {
		c.add(at.key("strapping"), "one row is no table; give two or more")
		return false
	}
	for i, r := range rows {
		at := Place{at.File, fmt.Sprintf("%s.strapping[%d]", at.Path, i)}
		n := len(c.problems)
		c.quantity(at.key("level_mm"), r.LevelMM)
		c.quantity(at.key("volume_l"), r.VolumeL)
		if i > 0 && r.LevelMM <= rows[i-1].LevelMM {
			c.add(at.key("level_mm"), "%v does not lie above the row before, %v", r.LevelMM, rows[i-1].LevelMM)
		}
		if i > 0 && r.VolumeL <= rows[i-1].VolumeL {
			c.add(at.key("volume_l"), "%v is not more than in the row before, %v", r.VolumeL, rows[i-1].VolumeL)
		}
		if len(c.problems) > n {
			return false
		}
	}
	return true
}

// shapeAgrees holds the shape to the capacity: a diameter given for a radius is
// off by a factor of four.
func (c *checker) shapeAgrees(at Place, o Tank) {
	const tolerance = 0.1
	litres, ok := o.Shape.OfPercent(100)
	if m3 := litres / 1000; ok && o.CapacityM3 > 0 && math.Abs(m3-o.CapacityM3) > tolerance*o.CapacityM3 {
		c.add(at, "it holds %.1f m³, but capacity_m3 says %v", m3, o.CapacityM3)
	}
}
