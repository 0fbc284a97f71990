package message

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// shownPlants is how many plants a single alarm names.
const shownPlants = 40

// about finds what the placeholders of an alarm's texts stand for: what the
// finding says, before what can be told from the alarm.
func (s *speaker) about(a *alarm.Alarm) lookup {
	return func(name string) value {
		if n, ok := a.Numbers[name]; ok {
			return s.number(name, n)
		}
		if w := a.Words[name]; w != "" {
			return s.word(name, w)
		}
		switch name {
		case "t":
			return s.at(a.Since)
		case "id":
			return value{text: cmp.Or(clean(a.Object), "?"), known: true}
		case "kind":
			return value{text: clean(a.Kind), known: true}
		case "zone":
			if a.ObjectKind != zone.ZoneKind && a.InZone != "" {
				return s.named(a.InZone)
			}
			return s.named(a.Object)
		case "site", "feeder", "plant", "tank", "line", "area":
			return s.named(a.Object)
		case "part":
			return s.word(name, a.Object)
		}
		return s.unknown()
	}
}

// kind is where the texts of that kind of alarm stand in the catalogue.
func (s *speaker) kind(kind string) string {
	if s.has("kind." + kind + ".subject") {
		return "kind." + kind
	}
	return "kind.custom"
}

func (s *speaker) title(kind string) string {
	if kind == UpcomingKind {
		return s.say("upcoming.title", nil)
	}
	return s.say(s.kind(kind)+".title", values{"kind": {text: clean(kind), known: true}}.lookup)
}

// what says what happened: the catalogue's text, or an own rule's.
func (s *speaker) what(a *alarm.Alarm) string {
	if own := s.own(a, "text"); own != "" {
		return own
	}
	return capital(s.say(s.kind(a.Kind)+".subject", s.about(a)))
}

// own is what an own rule says, such as its text_en or text_ar. A text that it
// has only in the other language stands in an isolate of its own. Kinds of the
// catalogue have none.
func (s *speaker) own(a *alarm.Alarm, word string) string {
	if s.kind(a.Kind) != "kind.custom" {
		return ""
	}
	if src := clean(a.Words[word+"_"+string(s.language)]); src != "" {
		return s.filled(a, src)
	}
	other := map[Language]Language{English: Arabic, Arabic: English}[s.language]
	return isolate(bare(s.filled(a, clean(a.Words[word+"_"+string(other)]))))
}

// filled fills an own rule's text. Brackets that are no placeholders are meant
// as they stand.
func (s *speaker) filled(a *alarm.Alarm, src string) string {
	t, err := parse(src)
	if err != nil {
		return isolate(src)
	}
	text, err := t.Execute(s.about(a))
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("fill the text of rule %s: %w", a.Kind, err)
	}
	return text
}

// where names the object, its zone and its city.
func (s *speaker) where(a *alarm.Alarm) string {
	var places []string
	add := func(v value) {
		if text := v.isolated(); !slices.Contains(places, text) {
			places = append(places, text)
		}
	}
	switch {
	case a.ObjectKind == rule.PartObject || a.Kind == "pipeline.fault":
		add(s.word("part", a.Object))
	case a.Object != "" && a.ObjectKind != rule.PersonObject:
		add(s.named(a.Object))
	}
	for _, id := range []string{cmp.Or(a.InZone, a.Zone), a.City} {
		if id != "" {
			add(s.named(id))
		}
	}
	if len(places) == 0 {
		return s.say("body.somewhere", nil)
	}
	return s.joined("joint.place", places...)
}

// since says from when, and for how long by now.
func (s *speaker) since(a *alarm.Alarm) string {
	if a.Since.IsZero() {
		return s.unknown().text
	}
	return s.say("body.since", values{"t": s.at(a.Since), "duration": s.lasting(s.now.Sub(a.Since))}.lookup)
}

// stalls says what stands still because of it: the plants, or what usually does.
func (s *speaker) stalls(a *alarm.Alarm) string {
	if len(a.Stalls) == 0 {
		return s.say(s.kind(a.Kind)+".stalls", s.about(a))
	}
	return s.plants(a.Stalls, shownPlants)
}

func (s *speaker) plants(ids []string, limit int) string {
	return s.say("body.stalls", values{
		"plants": phrase(s.counted("count.plants", len(ids))),
		"names":  phrase(s.list(ids, limit)),
	}.lookup)
}

func (s *speaker) do(a *alarm.Alarm) string {
	if own := s.own(a, "do"); own != "" {
		return own
	}
	return s.say(s.kind(a.Kind)+".do", s.about(a))
}

func (s *speaker) severity(v rule.Severity) string {
	if id := fmt.Sprintf("severity.s%d", v); s.has(id) {
		return s.say(id, nil)
	}
	return s.unknown().text
}
