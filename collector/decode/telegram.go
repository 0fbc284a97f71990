package decode

// telegram is the time of values that come one by one, in messages of their
// own.
type telegram struct {
	time     int64
	received int64
}

// A telegram is over after a minute: what comes then is of another, whose time
// was lost. maxTelegrams bounds those remembered for a source, at about 100 bytes
// each; beyond it the memory starts afresh.
const (
	telegramEnds = 60_000 // ms
	maxTelegrams = 1 << 10
)

// joinTelegram gives a value the time of its telegram, so that all of its values
// meet in one point, and remembers that time when it comes. Nothing waits for it:
// a value that comes first has the time of receipt.
func (r *reader) joinTelegram(m *Message) {
	name := r.place.telegram
	if name == "" || len(r.groups) != 1 || m.Received == 0 {
		return
	}
	g := &r.groups[0]
	if !g.timed {
		t, ok := r.telegrams[name]
		if age := m.Received - t.received; ok && age >= 0 && age <= telegramEnds {
			g.time, g.timed = t.time, true
		}
		return
	}
	if len(r.telegrams) >= maxTelegrams {
		clear(r.telegrams)
	}
	r.telegrams[name] = telegram{g.time, m.Received}
}
