package live

// zoneBook is the running account of a zone: power, water, fuel.
type zoneBook struct{ Accounts [3]account }

// account adds up one utility of a zone over time. Its units are kW, m³/h or
// l/h.
type account struct {
	Usual    learner // delivered
	Hour     int64   // local, of what follows
	HourFrom int64
	HourSum  float64 // delivered·ms
	Cut      bool    // something was cut or unknown in this hour

	Block    int64 // start of the present block
	Span     int64 // ms of it that are known
	Required float64
	Lost     float64 // both ·ms

	Settled   float64 // ratio of the last whole block
	SettledAt int64
	Short     float64 // its mean
	Mean      float64 // required in it

	Day         int64   // local
	NotSupplied float64 // kWh, m³ or l since midnight
}

// wholeBlock is the share of a block that must be known for it to count.
const wholeBlock = 0.8

func newZoneBook() *zoneBook {
	b := new(zoneBook)
	for i := range b.Accounts {
		b.Accounts[i].Settled, b.Accounts[i].Short = nan, nan
	}
	return b
}

// flow is what passes now, for the stretch of time since the last look.
type flow struct {
	required, lost float64 // NaN: unknown
	gross          float64 // lost by whatever cause
	delivered      float64 // NaN: unknown
	cut            bool
}

// advance adds a stretch of time, from and to in ms, to the account.
func (a *account) advance(from, to, block int64, l *local, f flow) {
	if day := l.day(to); day != a.Day {
		a.Day, a.NotSupplied = day, 0
		from = max(from, day*dayMS-l.offset)
	}
	if f.gross > 0 && to > from {
		a.NotSupplied += f.gross * float64(to-from) / float64(hourMS)
	}
	a.learn(from, to, l, f)
	for at := from; ; {
		if start := to - to%block; at >= start || at == 0 {
			a.begin(start, block)
			a.add(f, to-max(at, start))
			return
		}
		start := at - at%block
		a.begin(start, block)
		a.add(f, start+block-at)
		at = start + block
	}
}

func (a *account) add(f flow, ms int64) {
	if f.required != f.required || f.lost != f.lost || ms <= 0 {
		return
	}
	a.Span += ms
	a.Required += f.required * float64(ms)
	a.Lost += f.lost * float64(ms)
}

// begin settles the block before the one that starts now.
func (a *account) begin(start, block int64) {
	if start <= a.Block {
		return
	}
	a.Settled, a.Short, a.Mean, a.SettledAt = nan, nan, nan, a.Block+block
	if float64(a.Span) >= wholeBlock*float64(block) {
		a.Settled = 0
		if a.Required > 0 {
			a.Settled = a.Lost / a.Required
		}
		a.Short, a.Mean = a.Lost/float64(a.Span), a.Required/float64(a.Span)
	}
	a.Block, a.Span, a.Required, a.Lost = start, 0, 0, 0
}

// learn closes hours in which nothing was cut.
func (a *account) learn(from, to int64, l *local, f flow) {
	if hour := l.hour(to); hour != a.Hour {
		if span := to - a.HourFrom; hour == a.Hour+1 && !a.Cut && span >= hourMS*3/4 && span <= hourMS*5/4 {
			a.Usual.add(ofWeek(a.Hour), a.HourSum/float64(span))
		}
		a.Hour, a.HourFrom, a.HourSum, a.Cut = hour, to, 0, false
		return
	}
	if f.cut || f.delivered != f.delivered {
		a.Cut = true
		return
	}
	a.HourSum += f.delivered * float64(to-from)
}
