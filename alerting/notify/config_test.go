package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	route := Route{Name: "r", Roles: []rule.Role{rule.ZoneManager}}
	ladder := Escalation{Name: "e", After: time.Minute, To: []string{"amal"}}
	for _, test := range []struct {
		name   string
		mutate func(*Config)
		want   string // empty: it is valid
	}{
		{"as it is", func(*Config) {}, ""},
		{"duplicate id", func(c *Config) { c.People[1].ID = "amal" }, `people[1].id: "amal" is already the id of people[0]`},
		{"no id", func(c *Config) { c.People[0].ID = "" }, "people[0].id: missing"},
		{"no Arabic name", func(c *Config) { c.People[0].Name.Ar = "" }, "people[0].name.ar: missing"},
		{"language", func(c *Config) { c.People[0].Language = "fr" }, `people[0].language: there is no language "fr"`},
		{"role", func(c *Config) { c.People[0].Role = "mministry" }, `people[0].role: there is no role "mministry"; did you mean "ministry"?`},
		{"no zones", func(c *Config) { c.People[0].Zones = nil }, "people[0].zones: missing"},
		{"no plants", func(c *Config) { c.People[2].Plants = nil }, "people[2].plants: missing"},
		{"no contacts", func(c *Config) { c.People[0].Contacts = nil }, "people[0].contacts: missing"},
		{"empty contact", func(c *Config) { c.People[0].Contacts["email"] = "" }, "people[0].contacts.email: missing"},
		{"time zone", func(c *Config) { c.People[0].Timezone = "Asia/Aleppo" }, `people[0].timezone: unknown time zone "Asia/Aleppo"`},
		{"empty quiet hours", func(c *Config) { c.People[0].Quiet = Quiet{From: 60, To: 60} }, "people[0].quiet.to: is the same as from"},
		{"unknown zone", func(c *Config) { c.People[0].Zones = []string{"z3"} }, `people[0].zones[0]: there is no zone "z3"; use z1, z2`},
		{"unknown city", func(c *Config) { c.People[0].Cities = []string{"citty"} }, `people[0].cities[0]: there is no city "citty"; use c`},
		{"unknown plant", func(c *Config) { c.People[2].Plants = []string{"z1-p9"} }, `people[2].plants[0]: there is no plant "z1-p9"; did you mean "z1-p1"?`},
		{"unknown channel", func(c *Config) { c.People[0].Contacts["telegrm"] = "1" }, `people[0].contacts.telegrm: there is no channel "telegrm"; did you mean "telegram"?`},
		{"a route nobody can be reached on", func(c *Config) { r := route; r.Channels = []string{"sms"}; c.Routes = []Route{r} },
			`people[0].contacts: no address for sms, over which route "r" reaches the role zone_manager`},
		{"route names", func(c *Config) { c.Routes = []Route{route, route} }, `routes[1].name: "r" is the name of another route`},
		{"route without roles", func(c *Config) { c.Routes = []Route{{Name: "r"}} }, "routes[0].roles: missing"},
		{"pattern", func(c *Config) { r := route; r.Kinds = []string{"elec.["}; c.Routes = []Route{r} }, `routes[0].kinds[0]: "elec.[" is no pattern`},
		{"route's zone", func(c *Config) { r := route; r.Zones = []string{"z9"}; c.Routes = []Route{r} }, `routes[0].zones[0]: there is no zone "z9"`},
		{"group key", func(c *Config) { r := route; r.GroupBy = []string{"town"}; c.Routes = []Route{r} }, `routes[0].group_by[0]: there is no key "town"`},
		{"group wait", func(c *Config) { r, d := route, 2*time.Hour; r.GroupWait = &d; c.Routes = []Route{r} }, "routes[0].group_wait: 2h0m0s is out of range"},
		{"repeat", func(c *Config) { r := route; r.Repeat = time.Second; c.Routes = []Route{r} }, "routes[0].repeat: 1s is out of range"},
		{"escalation", func(c *Config) { c.Escalations = []Escalation{ladder} }, ""},
		{"escalation to nobody", func(c *Config) { e := ladder; e.To = nil; c.Escalations = []Escalation{e} }, "escalations[0].to: missing"},
		{"escalation to a stranger", func(c *Config) { e := ladder; e.To = []string{"amall"}; c.Escalations = []Escalation{e} },
			`escalations[0].to[0]: there is no person "amall"; did you mean "amal"?`},
		{"escalation names", func(c *Config) { c.Escalations = []Escalation{ladder, ladder} }, `escalations[1].name: "e" is the name of another`},
		{"empty rota", func(c *Config) {
			e := ladder
			e.Rota = &Rota{From: noon, Every: Span(time.Hour)}
			c.Escalations = []Escalation{e}
		},
			"escalations[0].rota.people: missing"},
		{"rota without turns", func(c *Config) {
			e := ladder
			e.Rota = &Rota{People: []string{"amal"}, From: noon}
			c.Escalations = []Escalation{e}
		},
			"escalations[0].rota.every: 0s is out of range"},
		{"rota without beginning", func(c *Config) {
			e := ladder
			e.Rota = &Rota{People: []string{"amal"}, Every: Span(time.Hour)}
			c.Escalations = []Escalation{e}
		}, "escalations[0].rota.from: missing"},
		{"pace", func(c *Config) { c.Pace.Burst = 0 }, "pace.burst: 0 is out of range; use 1 to 100"},
		{"calm above flood", func(c *Config) { c.Pace.Calm = 11 }, "pace.calm: 11 is out of range; use 1 to 10"},
		{"a secret elsewhere", func(c *Config) { c.LinkSecret = "${LINK}" }, ""},
		{"a secret in a file", func(c *Config) { c.LinkSecret = "file:link" }, ""},
		{"short secret", func(c *Config) { c.LinkSecret = "secret" }, "link_secret: 6 characters are too few"},
		{"keep", func(c *Config) { c.Keep = 0 }, "keep: 0s is out of range"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := config()
			test.mutate(&c)
			err := c.Validate()
			if err == nil {
				err = c.Check(registry(t), []string{"telegram", "sms", "email"})
			}
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"12h": 12 * time.Hour, "1d": 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1h30m": 90 * time.Minute, "w": 0, "-1d": 0, "1y": 0, "1dd": 0} {
		var s Span
		err := s.UnmarshalText([]byte(text))
		if (err != nil) != (want == 0) || time.Duration(s) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(s), err)
		}
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	loc, err := time.LoadLocation("Asia/Damascus")
	if err != nil {
		t.Fatal(err)
	}
	on := func(day, hour, minute int) time.Time { return time.Date(2026, 1, day, hour, minute, 0, 0, loc) } // the 3rd is a Saturday
	night := Quiet{From: 22 * 60, To: 6 * 60}
	noonRest := Quiet{From: 13 * 60, To: 15 * 60}
	friday := Quiet{From: 20 * 60, To: 8 * 60, Days: []zone.Weekday{zone.Weekday(time.Friday)}}
	for _, test := range []struct {
		name       string
		quiet      Quiet
		now, until time.Time
	}{
		{"none", Quiet{}, on(3, 3, 0), time.Time{}},
		{"before", night, on(3, 21, 59), time.Time{}},
		{"at its beginning", night, on(3, 22, 0), on(4, 6, 0)},
		{"past midnight", night, on(4, 3, 0), on(4, 6, 0)},
		{"at its end", night, on(4, 6, 0), time.Time{}},
		{"in the day", noonRest, on(3, 14, 0), on(3, 15, 0)},
		{"on its day", friday, on(2, 23, 0), on(3, 8, 0)},
		{"the morning after its day", friday, on(3, 7, 0), on(3, 8, 0)},
		{"on another day", friday, on(3, 23, 0), time.Time{}},
	} {
		if got := test.quiet.until(test.now, loc); !got.Equal(test.until) {
			t.Errorf("%s: until %v, want %v", test.name, got, test.until)
		}
	}
	if night.disturbs(rule.Medium) || !night.disturbs(rule.High) || (Quiet{Except: []rule.Severity{rule.Critical}}).disturbs(rule.High) {
		t.Error("the wrong severities disturb")
	}
}

func TestRota(t *testing.T) {
	t.Parallel()
	r := &Rota{People: []string{"a", "b", "c"}, From: noon, Every: Span(24 * time.Hour)}
	for days, want := range []string{"a", "b", "c", "a"} {
		if got := r.onCall(noon.AddDate(0, 0, days)); got != want {
			t.Errorf("day %d: %s, want %s", days, got, want)
		}
	}
	if got := r.onCall(noon.Add(-time.Hour)); got != "" {
		t.Errorf("before the first turn: %s", got)
	}
}
