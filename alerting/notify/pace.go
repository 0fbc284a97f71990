package notify

import (
	"slices"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// slack makes up for what is lost when fractions of tokens are added up.
const slack = 1e-9

// flush sends what is due in a person's inbox, as far as the pace allows:
// group by group; as one digest where there are more groups than tokens, in a
// flood, after quiet hours, or while a dead channel piles notices up.
func (p *planner) flush(who *person, box *inbox) {
	p.prune(box, who.ID)
	if len(box.Items) == 0 && len(box.Planned) == 0 {
		return
	}
	// Tokens that time earns are counted again from what is stored: by themselves
	// they are no reason to write.
	flood := box.Flood
	if box.refill(p.config.Pace, p.now); box.Flood != flood {
		p.s.touchInbox(who.ID)
	}
	free := p.free(who, box)
	ready := p.ready(free)
	switch groups := grouped(ready); {
	case len(ready) == 0:
	case box.Flood:
		p.flood(who, box, free, ready)
	case box.Tokens+slack < 1:
		p.urgent(who, box, ready)
	case float64(len(groups)) > box.Tokens+slack, p.backlog(who.ID) >= p.config.Pace.Burst, slices.ContainsFunc(ready, func(it *item) bool { return it.Held }):
		box.Tokens--
		p.emit(who, box, ready, true)
	default:
		for _, g := range groups {
			box.Tokens--
			p.emit(who, box, g, false)
		}
	}
	p.flushPlanned(who, box)
}

// prune drops news that has lost its alarm.
func (p *planner) prune(box *inbox, person string) {
	box.Items = slices.DeleteFunc(box.Items, func(it *item) bool {
		_, ok := p.alarmOf(it)
		if !ok {
			p.s.touchInbox(person)
		}
		return !ok
	})
}

// free returns what quiet hours do not hold back, and marks the rest as held.
func (p *planner) free(who *person, box *inbox) []*item {
	quiet := !who.Quiet.until(p.now, who.loc).IsZero()
	var out []*item
	for _, it := range box.Items {
		if a, _ := p.alarmOf(it); quiet && !who.Quiet.disturbs(a.Severity) {
			if !it.Held {
				it.Held = true
				p.s.touchInbox(who.ID)
			}
			continue
		}
		out = append(out, it)
	}
	return out
}

// ready returns the whole groups of which one item is due.
func (p *planner) ready(free []*item) []*item {
	due := make(map[string]bool)
	for _, it := range free {
		due[it.Group] = due[it.Group] || !it.Due.After(p.now)
	}
	var out []*item
	for _, it := range free {
		if due[it.Group] {
			out = append(out, it)
		}
	}
	return out
}

// grouped keeps the order in which the groups began.
func grouped(items []*item) [][]*item {
	var out [][]*item
	index := make(map[string]int)
	for _, it := range items {
		i, ok := index[it.Group]
		if !ok {
			i = len(out)
			index[it.Group] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], it)
	}
	return out
}

// flood sends all there is as one digest each Every, and lets criticals through
// in between.
func (p *planner) flood(who *person, box *inbox, free, ready []*item) {
	if p.now.Before(box.Next) || box.Tokens+slack < 1 {
		p.urgent(who, box, ready)
		return
	}
	box.Tokens--
	box.Next = p.now.Add(p.config.Pace.Every)
	p.emit(who, box, free, true)
}

// urgent sends the critical news among what has to wait, as one notice, as
// long as there are tokens of its own for that.
func (p *planner) urgent(who *person, box *inbox, ready []*item) {
	var critical []*item
	for _, it := range ready {
		if a, _ := p.alarmOf(it); a.Severity == rule.Critical && it.Type != message.Returned && it.Type != message.Reminder {
			critical = append(critical, it)
		}
	}
	if len(critical) > 0 && box.Spare+slack >= 1 {
		box.Spare--
		p.emit(who, box, critical, false)
	}
}

// emit makes a notice of some news.
func (p *planner) emit(who *person, box *inbox, news []*item, digest bool) {
	d := &draft{severity: rule.Low}
	for _, it := range news {
		a, _ := p.alarmOf(it)
		d.add(a)
		d.repeated = d.repeated || it.Again
	}
	if digest {
		p.absorb(who.ID, d)
	}
	slices.SortStableFunc(d.alarms, worse)
	content := message.Content{Type: news[0].Type, Now: p.now, Alarms: d.alarms}
	if digest && (len(d.alarms) > 1 || box.Flood) {
		d.severity = min(d.severity, rule.High) // one way is enough for a summary
		content.Type, content.Total = message.Digest, len(d.alarms)
		content.Alarms = d.alarms[:min(len(d.alarms), maxListed)]
		content.Stalled = p.stalled(who)
	}
	notice := p.post(who, p.bestRoute(news), d, content)
	for _, it := range news {
		if it.Type != message.Returned {
			p.markTold(who.ID, it.ID, it.Occurrence, notice)
		}
	}
	for _, a := range d.absorbed {
		p.markTold(who.ID, a.ID, a.Occurrence, notice)
	}
	box.Items = slices.DeleteFunc(box.Items, func(it *item) bool { return slices.Contains(news, it) })
	p.gatherNext(box, news)
	p.s.touchInbox(who.ID)
}

// bestRoute is the route of the worst alarm in the news.
func (p *planner) bestRoute(news []*item) *Route {
	worst := slices.MaxFunc(news, func(x, y *item) int {
		a, _ := p.alarmOf(x)
		b, _ := p.alarmOf(y)
		return int(a.Severity) - int(b.Severity)
	})
	return p.named(worst.Route)
}

// post puts a notice into the outbox: a row for each way, or one with the other
// ways to fall back on.
func (p *planner) post(who *person, r *Route, d *draft, c message.Content) int64 {
	ways := p.ways(who, r)
	p.s.LastNotice++
	notice := p.s.LastNotice
	if len(ways) == 0 {
		return notice // Check has said so
	}
	fallback := ways[1:]
	if r.everyWay(d.severity) {
		fallback = nil
	} else {
		ways = ways[:1]
	}
	for _, w := range ways {
		p.s.addRow(&row{
			Notice: notice, Channel: w.Channel, Address: w.Address, Person: who.ID, Language: who.language(),
			Created: p.now, Repeated: d.repeated, Content: c, Fallback: fallback,
		})
	}
	p.s.unsent[notice] = true
	return notice
}

func (p *planner) markTold(person, id string, occurrence, notice int64) {
	th := p.s.threads[id]
	if th == nil || th.Alarm.Occurrence != occurrence {
		return
	}
	t := th.Told[person]
	if t == nil {
		t = &told{}
		th.Told[person] = t
	}
	t.At, t.Severity = p.now, th.Alarm.Severity
	t.Notices = append(t.Notices, notice)
	p.s.touchThread(id)
}
