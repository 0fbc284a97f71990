package zone

import (
	"testing"
	"time"
)

func days(d ...time.Weekday) []Weekday {
	out := make([]Weekday, len(d))
	for i, day := range d {
		out[i] = Weekday(day)
	}
	return out
}

func TestInShift(t *testing.T) {
	t.Parallel()
	sunToThu := days(time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday)
	workweek := append(days(time.Saturday), sunToThu...)
	day := []Shift{{Days: workweek, From: 9 * 60, To: 17 * 60}}
	three := []Shift{{workweek, 6 * 60, 14 * 60}, {workweek, 14 * 60, 22 * 60}, {nil, 22 * 60, 6 * 60}}
	eid := []Holiday{{From: Date{2026, 11, 24}, To: Date{2026, 11, 25}}}
	tests := []struct {
		name         string
		shifts       []Shift
		holidays     []Holiday
		at           string // 2026-11-23 is a Monday
		on           bool
		since, until string
	}{
		{"no shifts: always, on holidays too", nil, eid, "2026-11-24 03:00", true, "", ""},
		{"in the day's shift", day, nil, "2026-11-23 12:00", true, "2026-11-23 09:00", "2026-11-23 17:00"},
		{"when it begins", day, nil, "2026-11-23 09:00", true, "2026-11-23 09:00", "2026-11-23 17:00"},
		{"when it ends", day, nil, "2026-11-23 17:00", false, "2026-11-23 17:00", "2026-11-24 09:00"},
		{"Friday is off", day, nil, "2026-11-27 12:00", false, "2026-11-26 17:00", "2026-11-28 09:00"},
		{"a holiday of two days", day, eid, "2026-11-25 12:00", false, "2026-11-23 17:00", "2026-11-26 09:00"},
		{"a holiday of one day", day, []Holiday{{From: Date{2026, 11, 24}}}, "2026-11-24 12:00", false, "2026-11-23 17:00", "2026-11-25 09:00"},
		{"three shifts are one week of work", three, nil, "2026-11-23 22:00", true, "2026-11-20 22:00", "2026-11-27 06:00"},
		{"between them on Friday", three, nil, "2026-11-27 12:00", false, "2026-11-27 06:00", "2026-11-27 22:00"},
		{"a night into a holiday is worked out", three, eid, "2026-11-24 05:00", true, "2026-11-20 22:00", "2026-11-24 06:00"},
		{"around the clock, five days", []Shift{{Days: sunToThu}}, nil, "2026-11-23 00:00", true, "2026-11-22 00:00", "2026-11-27 00:00"},
		{"to the end of the day", []Shift{{From: 20 * 60, To: 24 * 60}}, nil, "2026-11-23 23:59", true, "2026-11-23 20:00", "2026-11-24 00:00"},
		{"never off, as far as one sees", []Shift{{}}, nil, "2026-11-23 12:00", true, "2026-11-07 00:00", "2026-12-10 00:00"},
		{"the night in which the clock was put forward", []Shift{{From: 22 * 60, To: 6 * 60}}, nil, "2022-03-25 03:00", true, "2022-03-24 22:00", "2022-03-25 06:00"},
	}
	loc := damascus(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Plant{Shifts: tt.shifts}
			got := p.InShift(local(t, tt.at), loc, tt.holidays)
			text := func(at time.Time) string {
				if at.IsZero() {
					return ""
				}
				return at.In(loc).Format(wallLayout)
			}
			if got.On != tt.on || text(got.Since) != tt.since || text(got.Until) != tt.until {
				t.Errorf("%v from %s to %s, want %v from %s to %s", got.On, text(got.Since), text(got.Until), tt.on, tt.since, tt.until)
			}
		})
	}
}

// TestInShiftIsSteady asks every minute and holds the answer to the one that
// was to hold until then.
func TestInShiftIsSteady(t *testing.T) {
	t.Parallel()
	loc := damascus(t)
	p := Plant{Shifts: []Shift{{Days: days(time.Saturday, time.Sunday), From: 22 * 60, To: 6 * 60}, {From: 5 * 60, To: 7 * 60}}}
	at := local(t, "2026-11-19 00:00")
	last := p.InShift(at, loc, nil)
	for range 10 * 24 * 60 {
		at = at.Add(time.Minute)
		now := p.InShift(at, loc, nil)
		if at.Before(last.Until) {
			if now.On != last.On || !now.Since.Equal(last.Since) {
				t.Fatalf("at %v: %+v, but before %+v", at, now, last)
			}
		} else if now.On == last.On || !now.Since.Equal(last.Until) {
			t.Fatalf("at %v: %+v after %+v", at, now, last)
		}
		last = now
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		plant Plant
		want  Requirement
	}{
		{"ring spinning", Plant{Sector: RingSpinning, Requirement: Requirement{PowerKW: 1500, WaterM3PerD: 40}},
			Requirement{PowerKW: 1500, WaterM3PerD: 40, VoltageMinPct: 88, VoltageMaxPct: 120}},
		{"a dye house of the usual size", Plant{Sector: DyeHouse, Requirement: Requirement{PowerKW: 400, WaterM3PerD: 600, FuelLPerD: 3000}},
			Requirement{PowerKW: 400, WaterM3PerD: 600, FuelLPerD: 3000, VoltageMinPct: 75, VoltageMaxPct: 120, WaterM3H: 25, PressureBar: 2, HoldUpMin: 10}},
		{"food at half the size", Plant{Sector: Food, Requirement: Requirement{WaterM3PerD: 75}},
			Requirement{WaterM3PerD: 75, VoltageMinPct: 75, VoltageMaxPct: 120, WaterM3H: 4, PressureBar: 2, HoldUpMin: 120}},
		{"pharma with what it says itself", Plant{Sector: Pharma, Requirement: Requirement{WaterM3PerD: 60, WaterM3H: 2, VoltageMinPct: 95, RideThroughS: 1}},
			Requirement{WaterM3PerD: 60, WaterM3H: 2, VoltageMinPct: 95, VoltageMaxPct: 108, RideThroughS: 1, PressureBar: 2}},
		{"plastics ride through five minutes", Plant{Sector: Plastics}, Requirement{VoltageMinPct: 75, VoltageMaxPct: 120, RideThroughS: 300}},
		{"a dye house that takes no water from us", Plant{Sector: DyeHouse}, Requirement{VoltageMinPct: 75, VoltageMaxPct: 120, HoldUpMin: 10}},
		{"a sector nobody has described", Plant{Sector: OtherSector}, Requirement{VoltageMinPct: 75, VoltageMaxPct: 120}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.plant.Needs(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func BenchmarkInShift(b *testing.B) {
	p := Plant{Shifts: []Shift{{From: 6 * 60, To: 14 * 60}, {From: 14 * 60, To: 22 * 60}, {From: 22 * 60, To: 6 * 60}}}
	loc, at := damascus(b), local(b, "2026-11-23 12:00")
	b.ReportAllocs()
	for b.Loop() {
		p.InShift(at, loc, nil)
	}
}
