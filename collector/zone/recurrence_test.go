package zone

import (
	"strings"
	"testing"
	"time"
)

func TestParseRecurrenceRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"nothing", "", `"" is no part of a rule`},
		{"prose", "every day at five", `"every day at five" is no part of a rule`},
		{"no FREQ", "BYHOUR=17", "FREQ is required"},
		{"a key the library trips over", "FREQ=YEARLY;BYEASTER=200", `"BYEASTER=200" is no part of a rule`},
		{"seconds", "FREQ=SECONDLY", "FREQ is YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY here"},
		{"hours of an hourly rule, which would never end", "FREQ=HOURLY;INTERVAL=24;BYHOUR=5", "BYHOUR goes with FREQ=DAILY"},
		{"the 53rd Monday of a month, which would panic", "FREQ=MONTHLY;BYDAY=53MO", "BYDAY counts 1 to 5"},
		{"an interval beyond reason", "FREQ=DAILY;INTERVAL=1001", "INTERVAL is 1 to 1000"},
		{"no such day", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "no day of the calendar fits"},
		{"a weekday that its interval never meets", "FREQ=DAILY;INTERVAL=7;BYDAY=TU", "no day of the calendar fits"},
		{"no such hour", "FREQ=DAILY;BYHOUR=24", "byhour must be between 0 and 23"},
		{"an empty value", "FREQ=DAILY;BYHOUR=", "BYHOUR option has no value"},
		{"a year before clocks", "DTSTART=19000101T000000;FREQ=DAILY", "between the years 1970 and 2200"},
		{"a text without end", "FREQ=DAILY;BYHOUR=" + strings.Repeat("1,", 200) + "1", "longer than 256 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseRecurrence(tt.text, time.UTC, time.Time{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// FuzzProgramme lets any rule that is accepted be asked about any time: it
// answers soon, and its blocks have a length and lie where they are asked for.
func FuzzProgramme(f *testing.F) {
	for _, text := range []string{
		"FREQ=DAILY;BYHOUR=17;BYMINUTE=0", "RRULE:FREQ=WEEKLY;BYDAY=TH;WKST=SA;INTERVAL=2", "DTSTART=20261123T170000Z;FREQ=DAILY;COUNT=2",
		"FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=-1", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1FR;UNTIL=20300101", "FREQ=HOURLY;INTERVAL=7;BYMINUTE=0,30", "FREQ=MONTHLY;BYMONTHDAY=31",
	} {
		f.Add(text, int64(1763895600), uint32(7200), int64(1760000000))
	}
	loc, err := time.LoadLocation(DefaultTimezone)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, unix int64, off uint32, from int64) {
		at := time.Unix(unix%4_000_000_000, 0)
		def := Rationing{RRule: text, Off: time.Duration(off%604800) * time.Second}
		if text == "" {
			return // a cycle
		}
		if from > 0 {
			def.ValidFrom = time.Unix(from%4_000_000_000, 0)
		}
		begun := time.Now()
		rule, err := newRation(&def, loc)
		if err != nil {
			return
		}
		c := Cursor{rules: feederRules{cuts: []*ration{rule}}}
		for range 3 {
			plan := c.Plan(at, 0)
			if plan.Start.IsZero() {
				break
			}
			if !plan.Start.Before(plan.End) || !plan.End.After(at) || plan.Off != !plan.Start.After(at) {
				t.Fatalf("%q at %v: %+v", text, at, plan)
			}
			at = plan.End
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Fatalf("%q took %v", text, took)
		}
	})
}
