package message

import (
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// subjects are the texts of the alert catalogue, word for word: kind, English,
// Arabic.
var subjects = [][3]string{
	{"elec.outage", "Power lost at {site} since {t}", "انقطاع التيار الكهربائي عن {site} منذ {t}"},
	{"elec.phase_loss", "Phase {ph} lost at {site}; stop motors", "فقدان الطور {ph} في {site}؛ يرجى إيقاف المحركات"},
	{"elec.ration_overrun", "{feeder} still off {n} min after scheduled return", "تأخرت عودة التغذية على المخرج {feeder} عن موعدها في برنامج التقنين بمقدار {n} دقيقة"},
	{"elec.ration_unannounced", "Unannounced rationing in {zone}", "تقنين غير معلن في {zone}"},
	{"elec.voltage_low", "Low voltage at {site}: {pct}%", "هبوط التوتر في {site}: {pct}%"},
	{"elec.voltage_high", "High voltage at {site}: {pct}%", "ارتفاع التوتر في {site}: {pct}%"},
	{"elec.unbalance", "Voltage unbalance at {site}: {pct}%", "عدم توازن التوتر في {site}: {pct}%"},
	{"elec.frequency", "Frequency {hz} Hz", "التردد {hz} هرتز خارج الحدود"},
	{"elec.shortfall", "{zone} short {mw} MW ({pct}%)", "عجز كهربائي في {zone}: {mw} ميغا واط ({pct}%)"},
	{"elec.demand_high", "{plant} will exceed its contract", "يتوقع تجاوز الاستطاعة المتعاقد عليها في {plant}"},
	{"elec.feeder_overload", "{feeder} loaded {pct}%", "حمولة زائدة على المخرج {feeder}: {pct}%"},
	{"water.pressure_low", "Water pressure at {site}: {bar} bar", "انخفاض ضغط المياه في {site}: {bar} بار"},
	{"water.stopped", "Water stopped to {zone}", "توقف ضخ المياه إلى {zone}"},
	{"water.shortfall", "{zone} short {m3h} m³/h of water ({pct}%)", "عجز مائي في {zone}: {m3h} م³/سا ({pct}%)"},
	{"water.tank_low", "{site}: {h} h of water left", "مخزون المياه في {site} يكفي لمدة {h} ساعة"},
	{"water.burst", "Suspected burst on {line}", "احتمال كسر في خط المياه {line}"},
	{"water.night_leak", "Suspected leak in {area}", "تسرب محتمل في {area}"},
	{"fuel.cover_low", "{fuel} at {site}: {d} days left", "مخزون {fuel} في {site} يكفي لمدة {d} يوم"},
	{"fuel.tanker_late", "{fuel} tanker to {site} late {h} h", "تأخر وصول صهريج {fuel} إلى {site} بمقدار {h} ساعة"},
	{"fuel.loss", "Unexplained loss from {tank}: {l} l", "نقص غير مبرر في الخزان {tank}: {l} ليتر"},
	{"fuel.reconcile", "{tank} variance {l} l", "فرق جرد في الخزان {tank}: {l} ليتر"},
	{"fuel.delivery_short", "Delivery to {tank} short {l} l", "الكمية المورّدة إلى {tank} تنقص عن الإيصال بمقدار {l} ليتر"},
	{"plant.stall_forecast", "{plant} may stop in {h} h: {res}", "يتوقع توقف الإنتاج في {plant} خلال {h} ساعة بسبب نقص {res}"},
	{"plant.stalled", "{plant} stopped; likely {cause}", "توقف الإنتاج في {plant}؛ السبب المرجح: {cause}"},
	{"zone.inadequate", "{zone} adequacy {pct}%; {n} plants", "كفاية التوريد في {zone} {pct}%؛ المنشآت المتأثرة: {n}"},
	{"balance.gap", "Unexplained loss on {feeder}: {pct}%", "فاقد غير مفسر على المخرج {feeder}: {pct}%"},
	{"meter.offline", "Meter {id} silent since {t}", "العداد {id} لا يرسل بيانات منذ {t}"},
	{"meter.stuck", "Meter {id} value stuck", "قراءة العداد {id} ثابتة"},
	{"meter.clock", "Meter {id} clock off by {s} s", "انحراف ساعة العداد {id}: {s} ثانية"},
	{"meter.reset", "Meter {id} reset or replaced", "تصفير العداد {id} أو استبداله"},
	{"gateway.offline", "Gateway {id} down; {n} meters hidden", "انقطاع الاتصال مع البوابة {id}؛ العدادات المتأثرة: {n}"},
	{"pipeline.fault", "Collector fault: {part}", "خلل في منظومة جمع البيانات: {part}"},
	{"alarm.flood", "Many alarms; digest sent", "عدد كبير من الإنذارات؛ تم إرسال ملخص"},
}

// texts reads a catalogue's messages as they are in the file.
func texts(t *testing.T, l Language) map[string]*i18n.Message {
	t.Helper()
	name := "active." + string(l) + ".yaml"
	data, err := catalogueFiles.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := i18n.ParseMessageFileBytes(data, name, map[string]i18n.UnmarshalFunc{
		"yaml": func(b []byte, v any) error { return yaml.Unmarshal(b, v) },
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*i18n.Message{}
	for _, m := range file.Messages {
		all[m.ID] = m
	}
	return all
}

func forms(m *i18n.Message) []string {
	return []string{m.Zero, m.One, m.Two, m.Few, m.Many, m.Other}
}

func TestSubjectsAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	noBrackets := strings.NewReplacer("[", "", "]", "")
	en, ar := texts(t, English), texts(t, Arabic)
	said := map[string]bool{}
	for _, s := range subjects {
		said[s[0]] = true
		for i, all := range []map[string]*i18n.Message{en, ar} {
			m := all["kind."+s[0]+".subject"]
			if m == nil {
				t.Errorf("%s has no subject in %s", s[0], Languages[i])
			} else if got := noBrackets.Replace(m.Other); got != s[i+1] {
				t.Errorf("%s in %s: got %q, want %q", s[0], Languages[i], got, s[i+1])
			}
		}
	}
	for id, want := range map[string]string{
		"en": "Rationing planned on {feeder} {a}–{b}", "ar": "تقنين مقرر على المخرج {feeder} من {a} إلى {b}",
	} {
		if got := texts(t, Language(id))["upcoming.subject"].Other; got != want {
			t.Errorf("upcoming in %s: got %q, want %q", id, got, want)
		}
	}
	for _, k := range rule.Kinds() {
		if !said[k.ID] {
			t.Errorf("kind %s is not in this table", k.ID)
		}
	}
}

func TestEveryKindIsSaidInFull(t *testing.T) {
	t.Parallel()
	for _, l := range Languages {
		all := texts(t, l)
		for _, k := range rule.Kinds() {
			for _, what := range []string{"title", "subject", "stalls", "do"} {
				if m := all["kind."+k.ID+"."+what]; m == nil || m.Other == "" {
					t.Errorf("%s has no %s in %s", k.ID, what, l)
				}
			}
		}
	}
}

// placeholders are all that a text may use.
var placeholders = []string{
	"pct", "mw", "n", "h", "d", "l", "bar", "hz", "m3h", "s", "ph", "res", "cause", "fuel", "part",
	"site", "feeder", "zone", "plant", "tank", "line", "area", "id", "kind", "t", "a", "b",
	"severity", "subject", "duration", "plants", "names", "name", "text", "alarms", "stopped", "action",
	"clock", "weekday", "day", "month", "year",
}

func TestPlaceholdersAreKnownAndAgree(t *testing.T) {
	t.Parallel()
	en, ar := texts(t, English), texts(t, Arabic)
	for id := range ar {
		if en[id] == nil {
			t.Errorf("%s is in Arabic only", id)
		}
	}
	for id, m := range en {
		if ar[id] == nil {
			t.Errorf("%s is in English only", id)
			continue
		}
		if a, b := namesIn(t, m.Other), namesIn(t, ar[id].Other); !slices.Equal(a, b) {
			t.Errorf("%s uses %v in English and %v in Arabic", id, a, b)
		}
		for _, form := range append(forms(m), forms(ar[id])...) {
			for _, name := range namesIn(t, form) {
				if !slices.Contains(placeholders, name) {
					t.Errorf("%s: nothing fills {%s}", id, name)
				}
			}
		}
	}
}

func namesIn(t *testing.T, src string) []string {
	t.Helper()
	parts, err := parse(src)
	if err != nil {
		t.Errorf("%q: %v", src, err)
	}
	names := parts.names()
	slices.Sort(names)
	return names
}

// Texts with plurals must have every form of their language, or Render fails
// on the day that form is needed.
func TestPluralsAreComplete(t *testing.T) {
	t.Parallel()
	for id, m := range texts(t, Arabic) {
		if have := len(slices.DeleteFunc(forms(m), func(f string) bool { return f == "" })); have != 1 && have != 6 {
			t.Errorf("%s has %d of the 6 Arabic forms", id, have)
		}
	}
	for id, m := range texts(t, English) {
		if m.Zero+m.Two+m.Few+m.Many != "" || m.Other == "" {
			t.Errorf("%s has forms that English lacks, or lacks one of its own", id)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"{", "}", "a {b", "a ] b", "[{n} h", "{}", "[]", "[[a]]", "{a{b}", "{[a]}"} {
		if parts, err := parse(src); err == nil {
			t.Errorf("%q was read as %v", src, parts)
		}
	}
	if got := namesIn(t, "x {a} [{b} u] {c}"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %v", got)
	}
}

func TestANounIsSaidOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, name, want string }{
		{"على المخرج ", "مخرج 01، الغزل أ", "على المخرج 01، الغزل أ"},
		{"في الخزان ", "خزان ديزل المولدات", "في خزان ديزل المولدات"},
		{"في خط المياه ", "الخط الرئيسي 1", "في خط المياه الرئيسي 1"},
		{"في خط المياه ", "خط المصابغ", "في خط المصابغ"},
		{"على المخرج ", "المصابغ أ", "على المخرج المصابغ أ"},
		{"على المخرج ", "مخرج", "على المخرج مخرج"},
		{"on feeder ", "feeder 01", "on feeder feeder 01"},
	} {
		if before, name := sayOnce(c.before, c.name); before+name != c.want {
			t.Errorf("%q + %q became %q, want %q", c.before, c.name, before+name, c.want)
		}
	}
}

// The texts of own rules come from outside.
func FuzzParse(f *testing.F) {
	for _, s := range subjects {
		f.Add(s[1])
		f.Add(s[2])
	}
	f.Add("[{n} h] {")
	f.Add("}{][")
	f.Fuzz(func(t *testing.T, src string) {
		parts, err := parse(src)
		if err != nil {
			return
		}
		got, err := parts.Execute(lookup(func(string) value { return value{text: "v", known: true} }))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(got, "{}[]") || strings.Count(got, fsi)-strings.Count(got, pdi) != strings.Count(src, fsi)-strings.Count(src, pdi) {
			t.Errorf("%q became %q", src, got)
		}
	})
}
