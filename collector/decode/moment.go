package decode

import (
	"math"
	"strconv"
	"time"
)

// moment says how a time is written.
type moment struct {
	// perSecond is what a number counts: 1 for seconds, 1000 for milliseconds;
	// 0: milliseconds.
	perSecond float64
	layout    string // of a text, as package time writes it; "": RFC 3339, with or without a zone
}

// localLayout is RFC 3339 without a zone, which is then the source's.
const localLayout = "2006-01-02T15:04:05"

// number returns the time that v is, in ms.
func (m moment) number(v float64) int64 {
	if m.perSecond > 0 {
		v = v / m.perSecond * 1000
	}
	// A fraction of seconds is never exact: 1675072985.86 is …985.8599999.
	v = math.Floor(v + 1e-3)
	switch {
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	}
	return int64(v)
}

// parse reads a text; a time without a zone is local to location.
func (m moment) parse(text string, location *time.Location) (ms int64, ok bool) {
	if m.layout != "" {
		t, err := time.ParseInLocation(m.layout, text, location)
		return t.UnixMilli(), err == nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UnixMilli(), true
	}
	if t, err := time.ParseInLocation(localLayout, text, location); err == nil {
		return t.UnixMilli(), true
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(v) && m.perSecond > 0 {
		return m.number(v), true
	}
	return 0, false
}
