package message

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// notice is a content in words, before it is laid out as plain text or HTML.
type notice struct {
	Language Language
	Subject  string
	Badge    string // type and severity, for the head of the page
	Tone     string // severity as a word, for the colour
	Intro    []string
	Sections []section
	AckURL   string
	Ack      string // the button's text
	AckLabel string
	Footer   string

	core  string // what a short text cannot do without
	extra []string
}

// section is one alarm of several, or all that there is to say.
type section struct {
	Title string
	Lines []line
	Items []string
}

// line is one labelled statement; what to do first is set in bold.
type line struct {
	Label, Text string
	Bold        bool
}

// notice puts c into words.
func (s *speaker) notice(c Content) (*notice, error) {
	n := &notice{Language: s.language, AckURL: c.AckURL, Footer: s.say("body.footer", nil),
		Ack: s.say("body.ack", nil), AckLabel: s.say("label.acknowledge", nil)}
	switch {
	case c.Type == Upcoming:
		s.upcoming(n, c)
	case c.Type == Digest:
		s.digest(n, c)
	case !s.has("type." + string(c.Type)):
		return nil, fmt.Errorf("render: there are no texts for a notice of type %q", c.Type)
	case len(c.Alarms) == 0:
		return nil, fmt.Errorf("render: a notice of type %q without alarms", c.Type)
	default:
		s.alarms(n, c)
	}
	n.core = n.Subject
	if c.Repeated {
		n.Subject = s.say("prefix.repeated", values{"subject": phrase(n.Subject)}.lookup)
		n.Intro = append(n.Intro, s.say("intro.repeated", nil))
	}
	return n, nil
}

// alarms says one alarm, or a group of them with the worst first.
func (s *speaker) alarms(n *notice, c Content) {
	worst := &c.Alarms[0]
	severity := phrase(s.severity(worst.Severity))
	n.Tone = tone(c.Type, worst)
	n.Badge = s.say("type."+string(c.Type), values{"severity": severity}.lookup)
	if c.Type == Alarm || c.Type == Reminder || c.Type == Escalation {
		n.Badge += " · " + severity.text
	}
	n.Subject = s.what(worst)
	if id := "prefix." + string(c.Type); s.has(id) {
		n.Subject = s.say(id, values{"subject": phrase(n.Subject), "severity": severity}.lookup)
	}
	if more := len(c.Alarms) - 1; more > 0 {
		n.Subject = s.say("prefix.more", values{"subject": phrase(n.Subject), "n": s.count(more)}.lookup)
	}
	if id := "intro." + string(c.Type); s.has(id) && len(c.Alarms) == 1 {
		n.Intro = append(n.Intro, s.say(id, values{
			"severity": severity,
			"duration": s.lasting(s.now.Sub(cmp.Or(worst.Raised, worst.Since))),
		}.lookup))
	}
	for i := range c.Alarms {
		n.Sections = append(n.Sections, s.section(c.Type, &c.Alarms[i], i+1, len(c.Alarms)))
	}
	n.extra = s.extra(c.Type, worst)
}

// section says one alarm, as number i of so many.
func (s *speaker) section(t Type, a *alarm.Alarm, i, of int) section {
	var sec section
	if of > 1 {
		sec.Title = s.say("body.numbered", values{"n": s.count(i), "text": phrase(s.title(a.Kind))}.lookup)
	}
	add := func(label, text string) { s.line(&sec, label, text) }
	add("what", s.what(a))
	add("where", s.where(a))
	if t == Returned {
		s.ended(a, add)
	} else {
		add("since", s.since(a))
		add("stalls", s.stalls(a))
		add("do", s.do(a))
	}
	add("severity", s.severity(a.Severity))
	for _, name := range details {
		if word := a.Words[name]; word != "" {
			add(name, s.word(name, cut(word)).isolated())
		}
	}
	if a.AcknowledgedBy != "" {
		add("by", isolate(clean(a.AcknowledgedBy)))
	}
	return sec
}

// details are the words of a finding that the subjects leave out: where the
// cause is, the tanker's order, the error.
var details = []string{"cause_at", "order", "fault"}

// maxDetail is how many characters of a detail are shown.
const maxDetail = 200

func cut(s string) string {
	if letters := []rune(s); len(letters) > maxDetail {
		return string(letters[:maxDetail]) + "…"
	}
	return s
}

// line adds a statement to a section, unless it says nothing.
func (s *speaker) line(sec *section, label, text string) {
	if text != "" {
		sec.Lines = append(sec.Lines, line{s.say("label."+label, nil), text, label == "do"})
	}
}

// ended says how an alarm that returned to normal went.
func (s *speaker) ended(a *alarm.Alarm, add func(label, text string)) {
	add("since", s.at(a.Since).isolated())
	add("ended", s.at(a.Changed).isolated())
	if !a.Since.IsZero() && !a.Changed.IsZero() {
		add("lasted", s.lasting(a.Changed.Sub(a.Since)).text)
	}
	if len(a.Stalls) > 0 {
		add("stalled", s.plants(a.Stalls, shownPlants))
	}
	add("do", s.say("body.returned_do", nil))
}

// upcoming says that rationing is planned, on one feeder or several.
func (s *speaker) upcoming(n *notice, c Content) {
	n.Tone, n.Badge = "notice", s.say("type.upcoming", nil)
	feeders := c.Feeders
	if len(feeders) == 0 {
		feeders = []string{c.Feeder}
	}
	window := values{
		"feeder": s.named(feeders[0]), "n": s.count(len(feeders)),
		"a": s.at(c.From), "b": s.seen(c.To, c.From), "duration": s.lasting(c.To.Sub(c.From)),
	}
	n.Subject = s.say("upcoming.subject", window.lookup)
	if len(feeders) > 1 {
		n.Subject = s.say("upcoming.several", window.lookup)
	}
	stalls := s.say("upcoming.stalls", nil)
	if len(c.Stalled) > 0 {
		stalls = s.plants(c.Stalled, shownPlants)
	}
	do := s.say("upcoming.do", nil)
	n.extra = []string{firstSentence(do)}
	sec := section{}
	s.line(&sec, "what", n.Subject)
	s.line(&sec, "where", s.feeders(feeders))
	s.line(&sec, "when", s.say("body.period", window.lookup))
	s.line(&sec, "stalls", stalls)
	s.line(&sec, "do", do)
	n.Sections = []section{sec}
}

// feeders names all feeders, each with its zone and city.
func (s *speaker) feeders(ids []string) string {
	places := make([]string, len(ids))
	for i, id := range ids {
		at := &alarm.Alarm{Key: rule.Key{Object: id}}
		if o, ok := s.names.Object(id); ok {
			at.InZone, at.City = o.Zone, o.City
		}
		places[i] = s.where(at)
	}
	return s.joined("joint.items", places...)
}

// plain lays the notice out as text, one statement a line.
func (n *notice) plain() string {
	var b strings.Builder
	paragraph := func(lines ...string) {
		if len(lines) == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for _, l := range lines {
			b.WriteString(l + "\n")
		}
	}
	paragraph(n.Intro...)
	for _, sec := range n.Sections {
		var lines []string
		if sec.Title != "" {
			lines = append(lines, sec.Title)
		}
		for _, l := range sec.Lines {
			lines = append(lines, l.Label+": "+l.Text)
		}
		paragraph(append(lines, sec.Items...)...)
	}
	if n.AckURL != "" {
		paragraph(n.AckLabel+":", n.AckURL) // on a line of its own it runs left to right
	}
	return b.String()
}

// tone is the colour of the page.
func tone(t Type, a *alarm.Alarm) string {
	if t == Returned {
		return "returned"
	}
	return fmt.Sprintf("s%d", a.Severity)
}
