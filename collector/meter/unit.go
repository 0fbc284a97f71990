package meter

import (
	"fmt"
	"math"
	"strings"
)

// Dimension is what a unit measures: units of one dimension convert into each
// other, and into no others.
type Dimension string

// The dimensions of supply. A volume flow is no volume, and reactive power is
// no active power, though their units look alike.
const (
	Power          Dimension = "active power"
	ReactivePower  Dimension = "reactive power"
	ApparentPower  Dimension = "apparent power"
	Energy         Dimension = "active energy"
	ReactiveEnergy Dimension = "reactive energy"
	ApparentEnergy Dimension = "apparent energy"
	Voltage        Dimension = "voltage"
	Current        Dimension = "current"
	Frequency      Dimension = "frequency"
	Volume         Dimension = "volume"
	VolumeFlow     Dimension = "volume flow"
	Pressure       Dimension = "pressure"
	Temperature    Dimension = "temperature"
	Length         Dimension = "length"
	Duration       Dimension = "time"
	Mass           Dimension = "mass"
	Ratio          Dimension = "ratio"
)

// Unit is a unit of measurement: base = value·factor + offset, in the SI unit
// of its dimension, °C for temperatures. The zero Unit is none.
type Unit struct {
	Symbol    string
	Dimension Dimension
	factor    float64
	offset    float64
}

// Sources of the factors that are not powers of ten: calorie, gallon, psi and
// inch after NIST SP 811 (2008), appendix B; the metre of water column is the
// conventional one at 4 °C.
const (
	gallonM3 = 3.785411784e-3 // US, liquid
	psiPa    = 6894.757293168
	mH2OPa   = 9806.65
	mmHgPa   = 133.322387415
	inHgPa   = 25.4 * mmHgPa
	inchM    = 0.0254
	kelvin0C = 273.15
)

// units lists every unit, the names it goes by in the payloads of devices
// first, each lower-cased by ParseUnit unless its case matters (mW and MW).
var units = []struct {
	Unit
	names []string
}{
	{Unit{"mW", Power, 1e-3, 0}, []string{"mW"}},
	{Unit{"W", Power, 1, 0}, []string{"w", "watt", "watts"}},
	{Unit{"kW", Power, 1e3, 0}, []string{"kw"}},
	{Unit{"MW", Power, 1e6, 0}, []string{"MW", "megawatt"}},
	{Unit{"var", ReactivePower, 1, 0}, []string{"var", "vars"}},
	{Unit{"kvar", ReactivePower, 1e3, 0}, []string{"kvar"}},
	{Unit{"Mvar", ReactivePower, 1e6, 0}, []string{"mvar"}},
	{Unit{"VA", ApparentPower, 1, 0}, []string{"va"}},
	{Unit{"kVA", ApparentPower, 1e3, 0}, []string{"kva"}},
	{Unit{"MVA", ApparentPower, 1e6, 0}, []string{"mva"}},
	{Unit{"J", Energy, 1, 0}, []string{"j", "ws"}},
	{Unit{"kJ", Energy, 1e3, 0}, []string{"kj"}},
	{Unit{"MJ", Energy, 1e6, 0}, []string{"MJ"}},
	{Unit{"GJ", Energy, 1e9, 0}, []string{"gj"}},
	{Unit{"mWh", Energy, 3.6, 0}, []string{"mWh"}},
	{Unit{"Wh", Energy, 3600, 0}, []string{"wh", "whr"}},
	{Unit{"kWh", Energy, 3.6e6, 0}, []string{"kwh", "kwhr", "kw-h"}},
	{Unit{"MWh", Energy, 3.6e9, 0}, []string{"mwh", "mwhr"}},
	{Unit{"GWh", Energy, 3.6e12, 0}, []string{"gwh"}},
	{Unit{"varh", ReactiveEnergy, 3600, 0}, []string{"varh"}},
	{Unit{"kvarh", ReactiveEnergy, 3.6e6, 0}, []string{"kvarh"}},
	{Unit{"Mvarh", ReactiveEnergy, 3.6e9, 0}, []string{"mvarh"}},
	{Unit{"VAh", ApparentEnergy, 3600, 0}, []string{"vah"}},
	{Unit{"kVAh", ApparentEnergy, 3.6e6, 0}, []string{"kvah"}},
	{Unit{"MVAh", ApparentEnergy, 3.6e9, 0}, []string{"mvah"}},
	{Unit{"mV", Voltage, 1e-3, 0}, []string{"mV"}},
	{Unit{"V", Voltage, 1, 0}, []string{"v", "volt", "volts"}},
	{Unit{"kV", Voltage, 1e3, 0}, []string{"kv"}},
	{Unit{"mA", Current, 1e-3, 0}, []string{"ma"}},
	{Unit{"A", Current, 1, 0}, []string{"a", "amp", "amps", "ampere", "amperes"}},
	{Unit{"kA", Current, 1e3, 0}, []string{"ka"}},
	{Unit{"Hz", Frequency, 1, 0}, []string{"hz"}},
	{Unit{"mHz", Frequency, 1e-3, 0}, []string{"mhz"}},
	{Unit{"kHz", Frequency, 1e3, 0}, []string{"khz"}},
	{Unit{"MHz", Frequency, 1e6, 0}, []string{"MHz"}},
	{Unit{"ml", Volume, 1e-6, 0}, []string{"ml"}},
	{Unit{"l", Volume, 1e-3, 0}, []string{"l", "liter", "litre", "liters", "litres", "dm3", "dm³"}},
	{Unit{"hl", Volume, 0.1, 0}, []string{"hl"}},
	{Unit{"m³", Volume, 1, 0}, []string{"m3", "m³", "cbm"}},
	{Unit{"gal", Volume, gallonM3, 0}, []string{"gal", "gallon", "gallons"}},
	{Unit{"l/h", VolumeFlow, 1e-3 / 3600, 0}, []string{"l/h", "lph"}},
	{Unit{"l/min", VolumeFlow, 1e-3 / 60, 0}, []string{"l/min", "lpm"}},
	{Unit{"l/s", VolumeFlow, 1e-3, 0}, []string{"l/s"}},
	{Unit{"m³/h", VolumeFlow, 1.0 / 3600, 0}, []string{"m3/h", "m³/h", "m3h"}},
	{Unit{"m³/s", VolumeFlow, 1, 0}, []string{"m3/s", "m³/s"}},
	{Unit{"m³/d", VolumeFlow, 1.0 / 86400, 0}, []string{"m3/d", "m³/d"}},
	{Unit{"gal/min", VolumeFlow, gallonM3 / 60, 0}, []string{"gal/min", "gpm"}},
	{Unit{"Pa", Pressure, 1, 0}, []string{"pa"}},
	{Unit{"hPa", Pressure, 100, 0}, []string{"hpa", "mbar"}},
	{Unit{"kPa", Pressure, 1e3, 0}, []string{"kpa"}},
	{Unit{"MPa", Pressure, 1e6, 0}, []string{"mpa"}},
	{Unit{"bar", Pressure, 1e5, 0}, []string{"bar"}},
	{Unit{"psi", Pressure, psiPa, 0}, []string{"psi"}},
	{Unit{"mmHg", Pressure, mmHgPa, 0}, []string{"mmhg", "torr"}},
	{Unit{"inHg", Pressure, inHgPa, 0}, []string{"inhg"}},
	{Unit{"mH₂O", Pressure, mH2OPa, 0}, []string{"mh2o", "mh₂o"}},
	{Unit{"°C", Temperature, 1, 0}, []string{"°c", "c", "cel", "celsius", "degc", "deg c"}},
	{Unit{"°F", Temperature, 5.0 / 9, -32 * 5.0 / 9}, []string{"°f", "f", "fahrenheit", "degf", "deg f"}},
	{Unit{"K", Temperature, 1, -kelvin0C}, []string{"k", "kelvin"}},
	{Unit{"mm", Length, 1e-3, 0}, []string{"mm"}},
	{Unit{"cm", Length, 1e-2, 0}, []string{"cm"}},
	{Unit{"m", Length, 1, 0}, []string{"m"}},
	{Unit{"in", Length, inchM, 0}, []string{"in", "inch"}},
	{Unit{"ms", Duration, 1e-3, 0}, []string{"ms"}},
	{Unit{"s", Duration, 1, 0}, []string{"s", "sec", "seconds"}},
	{Unit{"min", Duration, 60, 0}, []string{"min", "minutes"}},
	{Unit{"h", Duration, 3600, 0}, []string{"h", "hours"}},
	{Unit{"d", Duration, 86400, 0}, []string{"d", "days"}},
	{Unit{"kg", Mass, 1, 0}, []string{"kg"}},
	{Unit{"t", Mass, 1000, 0}, []string{"t"}},
	{Unit{"%", Ratio, 0.01, 0}, []string{"%", "percent", "pct"}},
	{Unit{"1", Ratio, 1, 0}, []string{"1", "/", "ratio"}},
}

// unitNames finds units by name. A name whose case matters stands as it is;
// the others are lower case.
var unitNames = func() map[string]Unit {
	all := make(map[string]Unit)
	for _, u := range units {
		for _, n := range u.names {
			all[n] = u.Unit
		}
	}
	return all
}()

// ParseUnit finds a unit by its symbol or by one of the names in use for it.
func ParseUnit(name string) (Unit, error) {
	name = strings.TrimSpace(name)
	if u, ok := unitNames[name]; ok {
		return u, nil
	}
	if u, ok := unitNames[strings.ToLower(name)]; ok {
		return u, nil
	}
	return Unit{}, fmt.Errorf("unknown unit %q", name)
}

// suffixes are the last parts of register names and the units they stand for;
// of two that fit, the longer one is meant.
var suffixes = []struct{ suffix, unit string }{
	{"_kw", "kw"}, {"_kvar", "kvar"}, {"_kva", "kva"}, {"_kwh", "kwh"}, {"_kvarh", "kvarh"}, {"_kvah", "kvah"},
	{"_v", "v"}, {"_a", "a"}, {"_hz", "hz"}, {"_m3", "m3"}, {"_l", "l"}, {"_m3h", "m3/h"}, {"_lph", "l/h"},
	{"_bar", "bar"}, {"_c", "°c"}, {"_mm", "mm"}, {"_m", "m"}, {"_h", "h"}, {"_s", "s"}, {"_pct", "%"}, {"_kg", "kg"},
	{"power_factor", "1"},
}

// RegisterUnit returns the unit that a register's name carries; false if it
// carries none.
func RegisterUnit(register string) (Unit, bool) {
	longest := ""
	name := ""
	for _, s := range suffixes {
		if strings.HasSuffix(register, s.suffix) && len(s.suffix) > len(longest) {
			longest, name = s.suffix, s.unit
		}
	}
	u, ok := unitNames[name]
	return u, ok
}

// Conversion turns values of one unit into another: to = from·Factor + Offset.
type Conversion struct{ Factor, Offset float64 }

// Convert applies the conversion. A factor such as 1/1000 has no exact double,
// its reciprocal has: 52 W are to be 0.052 kW, not 0.052000000000000005. Nor has
// 0.06, which is 60/1000.
func (c Conversion) Convert(value float64) float64 {
	if c.Factor == math.Trunc(c.Factor) || c.Factor < 0 {
		return value*c.Factor + c.Offset
	}
	if divisor, whole := wholeNumber(1 / c.Factor); whole {
		return value/divisor + c.Offset
	}
	if thousandths, whole := wholeNumber(1000 * c.Factor); whole {
		return value*thousandths/1000 + c.Offset
	}
	return value*c.Factor + c.Offset
}

// wholeNumber returns the whole number that x is but for the last digits:
// 1/(1/3.6e6) is 3600000.0000000005.
func wholeNumber(x float64) (float64, bool) {
	n := math.Round(x)
	return n, n != 0 && math.Abs(x-n) < 1e-12*n
}

// ConversionTo returns how values in u become values in other. It is an error
// if they measure different things.
func (u Unit) ConversionTo(other Unit) (Conversion, error) {
	if u.Dimension != other.Dimension {
		return Conversion{}, fmt.Errorf("%s measures %s, %s measures %s", u.Symbol, u.Dimension, other.Symbol, other.Dimension)
	}
	if u.Symbol == other.Symbol {
		return Conversion{Factor: 1}, nil
	}
	c := Conversion{Factor: u.factor / other.factor, Offset: (u.offset - other.offset) / other.factor}
	// Powers of ten are meant exactly: 3.6e6/1e3 and the like must not leave a
	// trace in the sixteenth digit of a counter.
	if rounded := math.Pow(10, math.Round(math.Log10(c.Factor))); math.Abs(c.Factor/rounded-1) < 1e-12 {
		c.Factor = rounded
	}
	return c, nil
}
