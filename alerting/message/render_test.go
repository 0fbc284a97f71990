package message_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// isolated turns the marks ‹ and ›, which can be seen, into isolates.
func isolated(s string) string {
	return strings.NewReplacer("‹", "\u2068", "›", "\u2069").Replace(s)
}

func TestNumbersAndNouns(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, c := range []struct {
		name    string
		kind    string
		numbers map[string]float64
		l       message.Language
		want    string
	}{
		{"a percentage has its sign inside the isolate", "elec.voltage_low", map[string]float64{"pct": 86.43}, message.Arabic, "هبوط التوتر في ‹معمل الغزل الحلقي 1›: ‹86.4%›"},
		{"a whole percentage has no fraction", "elec.voltage_low", map[string]float64{"pct": 90}, message.English, "Low voltage at ‹Ring spinning mill 1›: ‹90%›"},
		{"thousands are separated, digits Latin", "fuel.loss", map[string]float64{"l": 12345.6}, message.Arabic, "نقص غير مبرر في الخزان ‹1›: ‹12,346 ليتراً›"},
		{"one", "fuel.loss", map[string]float64{"l": 1}, message.Arabic, "نقص غير مبرر في الخزان ‹1›: ليتر واحد"},
		{"two in the genitive", "fuel.delivery_short", map[string]float64{"l": 2}, message.Arabic, "الكمية المورّدة إلى ‹خزان 1› تنقص عن الإيصال بمقدار ليترين"},
		{"few", "water.tank_low", map[string]float64{"h": 3}, message.Arabic, "مخزون المياه في ‹خزان 1› يكفي لمدة ‹3 ساعات›"},
		{"many", "fuel.cover_low", map[string]float64{"d": 11}, message.Arabic, "مخزون المازوت في ‹خزان 1› يكفي لمدة ‹11 يوماً›"},
		{"other", "fuel.cover_low", map[string]float64{"d": 100}, message.Arabic, "مخزون المازوت في ‹خزان 1› يكفي لمدة ‹100 يوم›"},
		{"a fraction takes the singular", "water.tank_low", map[string]float64{"h": 6.52}, message.Arabic, "مخزون المياه في ‹خزان 1› يكفي لمدة ‹6.5 ساعة›"},
		{"the noun agrees with the rounded number", "water.tank_low", map[string]float64{"h": 2.96}, message.Arabic, "مخزون المياه في ‹خزان 1› يكفي لمدة ‹3 ساعات›"},
		{"less than one rounds to none", "water.tank_low", map[string]float64{"h": 0.01}, message.Arabic, "مخزون المياه في ‹خزان 1› يكفي لأقل من ساعة"},
		{"English singular", "fuel.cover_low", map[string]float64{"d": 1}, message.English, "Mazut at ‹Tank 1›: ‹1 day› left"},
		{"a minus brings no mark along", "meter.clock", map[string]float64{"s": -75}, message.Arabic, "انحراف ساعة العداد ‹e-0042›: ‹-75 ثانية›"},
		{"never minus zero", "meter.clock", map[string]float64{"s": -0.2}, message.English, "Meter ‹e-0042› clock off by ‹0 s›"},
		{"a missing number takes its unit with it", "elec.shortfall", nil, message.English, "‹Zone 1, large plots› short unknown (unknown)"},
		{"and in Arabic", "elec.voltage_low", nil, message.Arabic, "هبوط التوتر في ‹معمل الغزل الحلقي 1›: غير معروف"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := sample(t, c.kind)
			a.Numbers = c.numbers
			if got := render(t, r, content(message.Alarm, a), c.l).Subject; got != isolated(c.want) {
				t.Errorf("got  %s\nwant %s", got, isolated(c.want))
			}
		})
	}
}

func TestTimesAndDurations(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, c := range []struct {
		name  string
		since time.Time
		l     message.Language
		want  string
	}{
		{"today", noon.Add(-time.Hour), message.English, "Since: ‹11:00› (‹1 hour›)"},
		{"yesterday by the city's clock", noon.Add(-12*time.Hour - time.Minute), message.English, "Since: ‹Sunday 22 November, 23:59› (‹12 hours› ‹1 minute›)"},
		{"months are Levantine", time.Date(2026, 1, 31, 22, 0, 0, 0, time.UTC), message.Arabic, "منذ: ‹الأحد 1 شباط، 01:00› (المدة: ‹295 يوماً› و‹11 ساعة›)"},
		{"two and two", noon.Add(-50 * time.Hour), message.Arabic, "(المدة: يومان وساعتان)"},
		{"seconds", noon.Add(-42 * time.Second), message.Arabic, "(المدة: ‹42 ثانية›)"},
		{"a clock ahead of ours lasts no time", noon.Add(5 * time.Second), message.Arabic, "(المدة: أقل من ثانية)"},
		{"never", time.Time{}, message.Arabic, "منذ: غير معروف"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := sample(t, "water.burst")
			a.Since = c.since
			if got := render(t, r, content(message.Alarm, a), c.l).Plain; !strings.Contains(got, isolated(c.want)) {
				t.Errorf("got\n%s\nwant %s", got, c.want)
			}
		})
	}
}

// A message says what, where, since when, what it stalls and what to do first.
func TestOrderOfStatements(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for l, labels := range map[message.Language][]string{
		message.English: {"What: ", "Where: ", "Since: ", "Stalls: ", "Do first: "},
		message.Arabic:  {"الحدث: ", "المكان: ", "منذ: ", "ما يتوقف: ", "الإجراء الأول: "},
	} {
		for _, k := range rule.Kinds() {
			plain, at := render(t, r, content(message.Alarm, sample(t, k.ID)), l).Plain, -1
			for _, label := range labels {
				i := strings.Index("\n"+plain, "\n"+label)
				if i <= at {
					t.Errorf("%s in %s: %q is missing or in the wrong place:\n%s", k.ID, l, label, plain)
				}
				at = i
			}
		}
	}
}

// Short texts fit in two parts, with names of the usual length.
func TestShortTextsFit(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, k := range rule.Kinds() {
		for _, l := range message.Languages {
			short := render(t, r, content(message.Alarm, sample(t, k.ID)), l).Short
			if n := len(utf16.Encode([]rune(short))); n > 160 || (l == message.Arabic && n > 134) {
				t.Errorf("%s in %s has %d: %s", k.ID, l, n, short)
			}
			if strings.ContainsAny(short, "\n\u2066\u2067\u2068\u2069\u200e\u200f") {
				t.Errorf("%s in %s: %q", k.ID, l, short)
			}
		}
	}
}

func TestStalledPlantsAreAllNamedInADigest(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	c := message.Content{Type: message.Digest, Now: noon}
	for i := range 250 {
		c.Stalled = append(c.Stalled, fmt.Sprintf("plant-%03d", i))
	}
	for _, l := range message.Languages {
		got := render(t, r, c, l)
		for _, id := range c.Stalled {
			if !strings.Contains(got.Plain, id) || !strings.Contains(got.HTML, id) {
				t.Errorf("%s is not in the digest in %s", id, l)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for name, c := range map[string]struct {
		content message.Content
		l       message.Language
	}{
		"language":  {content(message.Alarm, sample(t, "elec.outage")), "fr"},
		"type":      {content("poem", sample(t, "elec.outage")), message.English},
		"no alarms": {content(message.Alarm), message.English},
	} {
		if got, err := r.Render(c.content, c.l, damascus); err == nil {
			t.Errorf("%s: got %q and no error", name, got.Subject)
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for kind, want := range map[string]string{"water.burst": "احتمال كسر في خط مياه", "boiler-cold": "قاعدة خاصة boiler-cold"} {
		if got, err := r.Title(kind, message.Arabic); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", kind, got, err, want)
		}
	}
}

// Names, words and people come from outside: whatever they are, they change
// neither the page nor the direction of the text.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		hostile := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "a\u202eb\u2066c\u2069\u2069d", "\u2068\u2068",
			"line\nbreak\r\n\u2028", "\x00\x1b[31m", "ok \xff\xfe", "&lt;b&gt;", "{{.}} {n} [x]", "<!--", "</td></table>",
		}))
		name := hostile.Draw(t, "name")
		r, err := message.New(names{"p": {Kind: zone.PlantKind, Name: zone.Name{En: name, Ar: name}}})
		if err != nil {
			t.Fatal(err)
		}
		a := alarm.Alarm{
			Key: rule.Key{Kind: "plant.stalled", Object: "p"}, InZone: hostile.Draw(t, "zone"), Stalls: []string{"p"},
			Words: map[string]string{"cause": hostile.Draw(t, "cause")}, AcknowledgedBy: hostile.Draw(t, "by"), Since: noon,
		}
		if rapid.Bool().Draw(t, "own rule") {
			a.Kind = hostile.Draw(t, "kind")
			a.Words["text_ar"] = hostile.Draw(t, "text")
		}
		for _, l := range message.Languages {
			x, err := r.Render(message.Content{Type: message.Alarm, Now: noon, Alarms: []alarm.Alarm{a}}, l, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkHostile(t, x)
		}
	})
}

func checkHostile(t *rapid.T, x message.Text) {
	if wrong := unbalanced(x.HTML); wrong != "" {
		t.Errorf("%s\n%s", wrong, x.HTML)
	}
	if strings.Contains(x.HTML, "<script") || strings.Contains(x.HTML, "<img") || strings.Contains(x.HTML, "<!--") {
		t.Errorf("names became elements:\n%s", x.HTML)
	}
	for _, text := range []string{x.Subject, x.Plain, x.Short, x.HTML} {
		if wrong := misdirected(text); len(wrong) > 0 {
			t.Errorf("%v in %q", wrong, text)
		}
	}
	if strings.ContainsAny(x.Subject+x.Short, "\r\n\x00\x1b\u2028") {
		t.Errorf("subject %q, short %q", x.Subject, x.Short)
	}
}

func TestPagesAreWellFormed(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for name, c := range notices(t) {
		for _, l := range message.Languages {
			page := render(t, r, c, l).HTML
			if wrong := unbalanced(page); wrong != "" {
				t.Errorf("%s in %s: %s", name, l, wrong)
			}
			want := `<html dir="ltr" lang="en">`
			if l == message.Arabic {
				want = `<html dir="rtl" lang="ar">`
			}
			if !strings.Contains(page, want) || strings.ContainsAny(page, "\u2068\u2069") {
				t.Errorf("%s in %s: no %s, or isolates left in\n%s", name, l, want, page)
			}
		}
	}
}

// A link that is none must not get into the page's button.
func TestAcknowledgeLinkIsSafe(t *testing.T) {
	t.Parallel()
	c := content(message.Alarm, sample(t, "elec.outage"))
	c.AckURL = "javascript:alert(1)"
	if page := render(t, renderer(t), c, message.English).HTML; strings.Contains(page, "javascript:") {
		t.Error(page)
	}
}

func BenchmarkRender(b *testing.B) {
	r := renderer(b)
	a := alarm.Alarm{Key: rule.Key{Kind: "elec.outage", Object: "sn-f01"}, Since: noon, Stalls: []string{"sn-p001"}}
	for _, l := range message.Languages {
		b.Run(string(l), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				render(b, r, content(message.Alarm, a), l)
			}
		})
	}
}
