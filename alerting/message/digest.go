package message

import (
	"cmp"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// shownAlarms is how many alarms a digest lists one by one.
const shownAlarms = 10

// digest says many alarms in one: how many there are by zone and by kind, and
// every plant that stands still.
func (s *speaker) digest(n *notice, c Content) {
	total := max(c.Total, len(c.Alarms))
	n.Tone, n.Badge = "notice", s.say("type.digest", nil)
	if len(c.Alarms) > 0 {
		n.Tone = tone(c.Type, &c.Alarms[0])
	}
	alarms := s.counted("count.alarms", total)
	n.Subject = s.say("digest.subject", values{
		"alarms": phrase(alarms), "stopped": phrase(s.counted("count.stopped", len(c.Stalled))),
	}.lookup)
	zones := tally(c.Alarms, func(a *alarm.Alarm) string { return cmp.Or(a.InZone, a.Zone, a.City) })
	kinds := tally(c.Alarms, func(a *alarm.Alarm) string { return a.Kind })
	stalled := s.say("body.no_stalls", nil)
	if len(c.Stalled) > 0 {
		stalled = s.plants(c.Stalled, 0)
	}
	sec := section{}
	add := func(label, text string) { s.line(&sec, label, text) }
	add("what", alarms)
	rest := total - len(c.Alarms)
	add("kinds", s.tallied(kinds, func(kind string) value { return phrase(s.title(kind)) }, rest))
	add("where", s.tallied(zones, s.named, rest))
	if first := earliest(c.Alarms); !first.IsZero() {
		add("since", s.say("body.since", values{"t": s.at(first), "duration": s.lasting(s.now.Sub(first))}.lookup))
	}
	add("stalls", stalled)
	add("do", s.digestAction(c))
	n.Sections = append(n.Sections, sec)
	if len(c.Alarms) > 0 {
		n.Sections = append(n.Sections, s.worst(c.Alarms, total))
		n.extra = []string{s.what(&c.Alarms[0]) + "."}
	}
}

func (s *speaker) digestAction(c Content) string {
	if len(c.Alarms) == 0 {
		return s.say("digest.do_none", nil)
	}
	return s.say("digest.do", values{
		"subject": phrase(s.what(&c.Alarms[0])), "action": phrase(s.do(&c.Alarms[0])),
	}.lookup)
}

// worst lists the first alarms with their times.
func (s *speaker) worst(alarms []alarm.Alarm, total int) section {
	sec := section{Title: s.say("label.worst", nil)}
	for i := range alarms[:min(len(alarms), shownAlarms)] {
		sec.Items = append(sec.Items, s.say("body.numbered", values{
			"n": s.count(i + 1), "text": phrase(s.what(&alarms[i])),
		}.lookup))
	}
	if rest := total - len(sec.Items); rest > 0 {
		sec.Items = append(sec.Items, s.counted("count.more", rest))
	}
	return sec
}

// share is how many alarms fall to one zone or kind.
type share struct {
	key string
	n   int
}

// tally counts alarms by key, the most frequent first.
func tally(alarms []alarm.Alarm, key func(*alarm.Alarm) string) []share {
	counts := map[string]int{}
	for i := range alarms {
		counts[key(&alarms[i])]++
	}
	shares := make([]share, 0, len(counts))
	for k, n := range counts {
		shares = append(shares, share{k, n})
	}
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.key, b.key))
	})
	return shares
}

// tallied says the shares, and how many alarms are in none of them because they
// are not listed. Alarms without a place count as unknown.
func (s *speaker) tallied(shares []share, name func(string) value, rest int) string {
	if len(shares) == 0 {
		return ""
	}
	words := make([]string, len(shares), len(shares)+1)
	for i, sh := range shares {
		words[i] = s.say("body.counted", values{"name": name(sh.key), "n": s.count(sh.n)}.lookup)
	}
	if rest > 0 {
		words = append(words, s.counted("count.more", rest))
	}
	return s.joined("joint.items", words...)
}

func earliest(alarms []alarm.Alarm) time.Time {
	var first time.Time
	for i := range alarms {
		if t := alarms[i].Since; first.IsZero() || (!t.IsZero() && t.Before(first)) {
			first = t
		}
	}
	return first
}
