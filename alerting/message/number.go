package message

import (
	"math"
	"strconv"

	"golang.org/x/text/language"
	xmessage "golang.org/x/text/message"
	"golang.org/x/text/number"
)

// numerals returns the printer of a language's numbers. Syrian Arabic writes
// Latin digits; plain "ar" would write ١٬٢٣٤.
func numerals(l Language) *xmessage.Printer {
	if l == Arabic {
		return xmessage.NewPrinter(language.MustParse("ar-SY"))
	}
	return xmessage.NewPrinter(language.English)
}

// decimals is how many digits after the point help the reader:
//
//	n, l, s     none
//	h, d, m3h   one below ten, else none
//	mw          two below ten, one below a hundred, else none
//	hz          two
//	pct, bar    one
//	others      two below ten, one below a hundred, else none
//
// Zeros at the end are left out.
func decimals(name string, v float64) int {
	v = math.Abs(v)
	switch name {
	case "n", "l", "s":
		return 0
	case "h", "d", "m3h":
		if v < 10 {
			return 1
		}
		return 0
	case "hz":
		return 2
	case "pct", "bar":
		return 1
	}
	switch {
	case v < 10:
		return 2
	case v < 100:
		return 1
	}
	return 0
}

// number puts a value into digits. What is no finite number is unknown.
func (s *speaker) number(name string, v float64) value {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return s.unknown()
	}
	digits := decimals(name, v)
	scale := math.Pow10(digits)
	v = math.Round(v*scale)/scale + 0 // + 0: never -0
	return value{
		text:  clean(s.numerals.Sprint(number.Decimal(v, number.MaxFractionDigits(digits)))), // clean: without the mark before a minus
		count: strconv.FormatFloat(math.Abs(v), 'f', -1, 64),
		known: true,
	}
}

// count is a whole number.
func (s *speaker) count(n int) value { return s.number("n", float64(n)) }
