package alarm

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// play drives a machine through a script of words, one step each, a minute
// apart unless told otherwise, and returns what happened: "event:from>to" and
// the minute.
//
//	raised held clear unknown      what the rule says; suffixes as below
//	raised/h raised/c              with severity high or critical (else medium)
//	raised@3                       the condition began in minute 3
//	+5                             five minutes pass before the next step
//	ack shelve unshelve out back reset retire
//	cause clear-cause              the cause's condition begins or ends
type player struct {
	m      *machine
	minute int64
	cause  bool
	tell   []string
	errs   []error
	delay  [2]time.Duration
	latch  bool
}

var (
	effect = rule.Key{Kind: "elec.outage", Object: "plant"}
	parent = rule.Key{Kind: "elec.outage", Object: "feeder"}
)

func (p *player) ms() int64 { return start.UnixMilli() + p.minute*60000 }

func (p *player) play(script string) {
	for word := range strings.FieldsSeq(script) {
		p.word(word)
	}
}

func (p *player) word(word string) {
	actions := map[string]Event{
		"ack": Acknowledge, "shelve": Shelve, "unshelve": Unshelve, "out": TakeOut, "back": PutBack, "reset": Reset,
	}
	var n int64
	switch {
	case strings.HasPrefix(word, "+"):
		_, _ = fmt.Sscanf(word, "+%d", &n)
		p.minute += n - 1
	case word == "cause":
		p.cause = true
	case word == "clear-cause":
		p.cause = false
	case word == "retire":
		p.take(p.m.retire(p.ms(), func(rule.Key) bool { return false }), nil)
	case actions[word] != "":
		r := p.m.records[effect]
		if r == nil {
			fresh := newRecord(effect)
			r = &fresh
		}
		c, err := p.m.operate(p.ms(), r, Action{Event: actions[word], By: "ali", Reason: "r", For: 30 * time.Minute})
		p.take(c, err)
	default:
		p.minute++
		p.take(p.m.step(p.ms(), p.findings(word)), nil)
	}
}

func (p *player) findings(word string) []rule.Finding {
	word, since, _ := strings.Cut(word, "@")
	word, severity, _ := strings.Cut(word, "/")
	f := rule.Finding{
		Key: effect, Severity: rule.Medium, OnDelay: p.delay[0], OffDelay: p.delay[1], Latched: p.latch, Cause: parent,
		Numbers: map[string]float64{"pct": float64(p.minute)},
		State:   map[string]rule.State{"raised": rule.Raised, "held": rule.Held, "unknown": rule.Unknown}[word],
	}
	f.Severity = map[string]rule.Severity{"": rule.Medium, "h": rule.High, "c": rule.Critical}[severity]
	if since != "" {
		var minute int64
		_, _ = fmt.Sscanf(since, "%d", &minute)
		f.Since = start.UnixMilli() + minute*60000
	}
	var all []rule.Finding
	if word != "clear" {
		all = append(all, f)
	}
	if p.cause {
		all = append(all, rule.Finding{Key: parent, State: rule.Raised, Severity: rule.High, OnDelay: time.Hour})
	}
	return all
}

func (p *player) take(c changes, err error) {
	if err != nil {
		p.errs = append(p.errs, err)
		p.tell = append(p.tell, "refused")
		return
	}
	for _, t := range c.transitions {
		if t.Alarm.Key == effect {
			p.tell = append(p.tell, fmt.Sprintf("%d:%s:%s>%s", p.minute, t.Event, short[t.From], short[t.To]))
		}
	}
	p.m.apply(c)
}

var short = map[State]string{
	Normal: "N", Unacknowledged: "U", Acknowledged: "A", Returned: "R", Shelved: "H", Suppressed: "S", OutOfService: "O",
}

func TestMachine(t *testing.T) {
	t.Parallel()
	const on, off = 2 * time.Minute, 3 * time.Minute
	tests := []struct {
		name    string
		on, off time.Duration
		latched bool
		script  string
		want    string
	}{
		{"without delays", 0, 0, false, "raised clear", "1:raise:N>U 2:return:U>R"},
		{"acknowledged, then returns", 0, 0, false, "raised ack raised clear", "1:raise:N>U 1:acknowledge:U>A 3:return:A>N"},
		{"returns, then acknowledged", 0, 0, false, "raised clear ack clear", "1:raise:N>U 2:return:U>R 2:acknowledge:R>N"},
		{"acknowledging twice is one line", 0, 0, false, "raised ack ack", "1:raise:N>U 1:acknowledge:U>A"},
		{"again before acknowledgement", 0, 0, false, "raised clear raised", "1:raise:N>U 2:return:U>R 3:raise:R>U"},
		{"nothing to acknowledge", on, 0, false, "raised ack", "refused"},
		{"on-delay", on, 0, false, "raised raised raised raised", "3:raise:N>U"},
		{"on-delay interrupted", on, 0, false, "raised raised clear raised raised raised", "6:raise:N>U"},
		{"on-delay interrupted by the deadband", on, 0, false, "raised raised held raised raised", ""},
		{"on-delay from the meters' time", on, 0, false, "raised@0 raised@0", "2:raise:N>U"},
		{"the meters' time is not in the future", on, 0, false, "raised@9 raised@9 raised@9", "3:raise:N>U"},
		{"began anew meanwhile", on, 0, false, "raised@1 raised@2 raised@3 raised@3 raised@3", "5:raise:N>U"},
		{"a jump of time", on, 0, false, "raised +30 raised", "31:raise:N>U"},
		{"unknown stops the on-delay", on, 0, false, "raised unknown unknown +60 unknown raised raised", "65:raise:N>U"},
		{"unknown before, not after, counts by the meters", on, 0, false, "unknown raised@0", "2:raise:N>U"},
		{"off-delay", 0, off, false, "raised clear clear clear clear", "1:raise:N>U 5:return:U>R"},
		{"off-delay interrupted", 0, off, false, "raised clear clear raised clear clear clear", "1:raise:N>U"},
		{"off-delay interrupted by the deadband", 0, off, false, "raised clear clear held clear clear clear clear", "1:raise:N>U 8:return:U>R"},
		{"unknown stops the off-delay", 0, off, false, "raised clear clear unknown +60 unknown clear", "1:raise:N>U"},
		{"and it goes on", 0, off, false, "raised clear clear unknown +60 unknown clear clear clear", "1:raise:N>U 66:return:U>R"},
		{"held and unknown keep what stands", 0, 0, false, "raised held unknown held", "1:raise:N>U"},
		{"held and unknown raise nothing", 0, 0, false, "held unknown held", ""},

		{"a step up asks again", 0, 0, false, "raised ack raised/h raised/h", "1:raise:N>U 1:acknowledge:U>A 2:step:A>U"},
		{"a step up unacknowledged", 0, 0, false, "raised raised/c", "1:raise:N>U 2:step:U>U"},
		{"a step down waits for the off-delay", 0, off, false, "raised/h ack raised raised raised raised", "1:raise:N>U 1:acknowledge:U>A 5:step:A>A"},
		{"a step down must be seen all the while", 0, off, false, "raised/h raised raised unknown raised raised raised raised", "1:raise:N>U 8:step:U>U"},
		{"hovering between severities", 0, off, false, "raised/h ack raised raised/h raised raised/h raised", "1:raise:N>U 1:acknowledge:U>A"},

		{"reminders", 0, 0, false, "raised/c +9 raised/c raised/c +10 raised/c ack +60 raised/c", "1:raise:N>U 11:remind:U>U 21:remind:U>U 21:acknowledge:U>A"},
		{"one reminder after a jump", 0, 0, false, "raised/c +60 raised/c", "1:raise:N>U 61:remind:U>U"},

		{"latched", 0, 0, true, "raised clear clear ack clear reset clear", "1:raise:N>U 3:acknowledge:U>A 4:reset:A>N"},
		{"latched, ended unacknowledged", 0, 0, true, "raised clear reset", "1:raise:N>U 2:reset:U>N"},
		{"ended while it still holds", 0, 0, true, "raised reset raised raised clear raised", "1:raise:N>U 1:reset:U>N 5:raise:N>U"},
		{"ended, and begins anew", 0, 0, true, "raised@1 reset raised@1 raised@3", "1:raise:N>U 1:reset:U>N 3:raise:N>U"},
		{"only latched ones are reset", 0, 0, false, "raised reset", "1:raise:N>U refused"},
		{"reset of nothing", 0, 0, true, "raised reset reset", "1:raise:N>U 1:reset:U>N refused"},

		{"shelved", 0, 0, false, "raised shelve raised +30 raised", "1:raise:N>U 1:shelve:U>H 32:unshelve:H>U"},
		{"shelved by hand", 0, 0, false, "raised shelve raised unshelve raised", "1:raise:N>U 1:shelve:U>H 2:unshelve:H>U"},
		{"over while shelved", 0, 0, false, "raised shelve clear clear unshelve", "1:raise:N>U 1:shelve:U>H 3:unshelve:H>N"},
		{"over and back while shelved", 0, 0, false, "raised shelve clear raised unshelve raised", "1:raise:N>U 1:shelve:U>H 3:unshelve:H>N 4:raise:N>U"},
		{"raised while shelved, time up", 0, 0, false, "shelve raised +30 raised", "0:shelve:N>H 31:unshelve:H>N 31:raise:N>U"},
		{"acknowledged while shelved", 0, 0, false, "raised shelve ack raised unshelve", "1:raise:N>U 1:shelve:U>H 1:acknowledge:H>H 2:unshelve:H>A"},
		{"no reminder while shelved", 0, 0, false, "raised/c shelve +20 raised/c", "1:raise:N>U 1:shelve:U>H"},
		{"not shelved", 0, 0, false, "raised unshelve", "1:raise:N>U refused"},

		{"out of service", 0, 0, false, "raised out raised clear raised back raised", "1:raise:N>U 1:take_out_of_service:U>O 4:put_back_in_service:O>N 5:raise:N>U"},
		{"out of service ends a shelving", 0, 0, false, "raised shelve out +60 raised back", "1:raise:N>U 1:shelve:U>H 1:take_out_of_service:H>O 61:put_back_in_service:O>U"},
		{"shelving what is out of service", 0, 0, false, "raised out shelve out", "1:raise:N>U 1:take_out_of_service:U>O refused refused"},
		{"in service already", 0, 0, false, "raised back", "1:raise:N>U refused"},

		{"suppressed from the start", on, 0, false, "cause raised raised raised raised", "3:suppress:N>S"},
		{"suppressed, and over with the cause", on, 0, false, "cause raised raised raised clear-cause clear", "3:suppress:N>S 4:unsuppress:S>N"},
		{"suppressed, and outlives the cause", on, 0, false, "cause raised raised raised clear-cause raised raised raised", "3:suppress:N>S 6:unsuppress:S>N 6:raise:N>U"},
		{"not at once even without an on-delay", 0, 0, false, "cause raised clear-cause raised raised", "1:suppress:N>S 3:unsuppress:S>N 3:raise:N>U"},
		{"the cause comes back meanwhile", on, 0, false, "cause raised raised raised clear-cause raised cause raised clear-cause raised raised raised", "3:suppress:N>S 8:unsuppress:S>N 8:raise:N>U"},
		{"the cause comes after", 0, 0, false, "raised cause raised clear", "1:raise:N>U 2:suppress:U>S 3:return:S>N"},
		{"the cause comes after and goes", 0, 0, false, "raised ack cause raised clear-cause raised raised", "1:raise:N>U 1:acknowledge:U>A 2:suppress:A>S 4:unsuppress:S>A"},
		{"acknowledged while suppressed", 0, 0, false, "raised cause raised ack clear", "1:raise:N>U 2:suppress:U>S 2:acknowledge:S>S 3:return:S>N"},
		{"a latched one stays", 0, 0, true, "raised cause raised clear", "1:raise:N>U 2:suppress:U>S 3:unsuppress:S>U"},
		{"returned, and back with a cause", 0, 0, false, "raised clear cause raised clear", "1:raise:N>U 2:return:U>R 3:suppress:R>S 4:unsuppress:S>R"},
		{"shelved and suppressed", 0, 0, false, "raised shelve cause raised unshelve clear", "1:raise:N>U 1:shelve:U>H 2:unshelve:H>S 3:return:S>N"},
		{"no step while suppressed", 0, 0, false, "raised cause raised raised/c clear-cause raised/c raised/c", "1:raise:N>U 2:suppress:U>S 5:unsuppress:S>U"},

		{"no longer watched", 0, 0, false, "raised ack retire clear", "1:raise:N>U 1:acknowledge:U>A 1:return:A>N"},
		{"no longer watched, latched and shelved", 0, 0, true, "raised shelve retire clear", "1:raise:N>U 1:shelve:U>H 1:return:H>N"},
		{"no longer watched, not yet raised", on, 0, false, "raised retire raised raised", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &player{m: newMachine(DefaultConfig()), delay: [2]time.Duration{tt.on, tt.off}, latch: tt.latched}
			p.play(tt.script)
			if got := strings.Join(p.tell, " "); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.script, got, tt.want)
			}
			for _, err := range p.errs {
				if !errors.Is(err, ErrState) {
					t.Errorf("refused with %v", err)
				}
			}
		})
	}
}

// TestNothingLeft tells that alarms that are over leave nothing behind.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	p := &player{m: newMachine(DefaultConfig())}
	p.play("raised ack clear cause raised clear clear-cause clear shelve +60 clear")
	if n := len(p.m.records); n != 0 {
		t.Errorf("%d records left: %+v", n, p.m.records[effect])
	}
}

func TestChains(t *testing.T) {
	t.Parallel()
	key := func(o string) rule.Key { return rule.Key{Kind: "elec.outage", Object: o} }
	finding := func(o, cause string) rule.Finding {
		f := rule.Finding{Key: key(o), State: rule.Raised, Severity: rule.High}
		if cause != "" {
			f.Cause = key(cause)
		}
		return f
	}
	tests := []struct {
		name     string
		findings []rule.Finding
		want     string
	}{
		{"three levels", []rule.Finding{finding("plant", "feeder"), finding("station", ""), finding("feeder", "station")},
			"raise station, suppress feeder, suppress plant"},
		{"the cause is not there", []rule.Finding{finding("plant", "feeder")}, "raise plant"},
		{"one another's cause", []rule.Finding{finding("a", "b"), finding("b", "a")}, "raise a, raise b"},
		{"its own cause", []rule.Finding{finding("a", "a")}, "raise a"},
		{"below a ring", []rule.Finding{finding("a", "b"), finding("b", "a"), finding("c", "a")}, "raise a, raise b, suppress c"},
		{"twice the same", []rule.Finding{finding("a", ""), finding("a", "")}, "raise a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 5 { // maps have no order
				m := newMachine(DefaultConfig())
				var got []string
				for i, tr := range m.step(start.UnixMilli(), tt.findings).transitions {
					got = append(got, fmt.Sprintf("%s %s", tr.Event, tr.Alarm.Object))
					if tr.Seq != int64(i+1) {
						t.Errorf("number %d at place %d", tr.Seq, i)
					}
				}
				want := strings.Split(tt.want, ", ")
				if tt.name == "below a ring" { // whose depth has no bottom
					slices.Sort(got)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("got %v, want %v", got, want)
				}
			}
		})
	}
}

// TestOutOfServiceCause: what is out of service is not trusted to explain.
func TestOutOfServiceCause(t *testing.T) {
	t.Parallel()
	m := newMachine(DefaultConfig())
	findings := []rule.Finding{
		{Key: parent, State: rule.Raised, Severity: rule.High},
		{Key: effect, State: rule.Raised, Severity: rule.High, Cause: parent},
	}
	ms := start.UnixMilli()
	m.apply(m.step(ms, findings))
	c, err := m.operate(ms, m.records[parent], Action{Event: TakeOut, By: "ali", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	m.apply(c)
	m.apply(m.step(ms+1000, findings))
	m.apply(m.step(ms+120000, findings))
	if s := m.records[effect].Alarm.State; s != Unacknowledged {
		t.Errorf("the effect is %s", s)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	p := &player{m: newMachine(DefaultConfig())}
	p.play("raised raised raised")
	a := p.m.records[effect].Alarm
	if a.Numbers["pct"] != 3 || a.Occurrence != 1 {
		t.Errorf("numbers %v, occurrence %d", a.Numbers, a.Occurrence)
	}
	p.play("clear raised")
	if a := p.m.records[effect].Alarm; a.Occurrence != 3 || !a.Raised.Equal(at(p.ms())) {
		t.Errorf("occurrence %d raised at %v", a.Occurrence, a.Raised)
	}
	numbers := map[string]float64{"a": 1, "b": math.NaN(), "c": math.Inf(1)}
	if got := finite(numbers); len(got) != 1 || got["a"] != 1 || len(numbers) != 3 {
		t.Errorf("finite: %v of %v", got, numbers)
	}
}

// TestClockBack: a clock that is set back an hour delays nothing by an hour.
func TestClockBack(t *testing.T) {
	t.Parallel()
	p := &player{m: newMachine(DefaultConfig()), delay: [2]time.Duration{2 * time.Minute, 2 * time.Minute}, latch: false}
	p.minute = 60
	p.play("raised")
	p.minute = 0
	p.play("raised raised raised clear")
	p.minute = -60
	p.play("clear clear clear")
	if got := strings.Join(p.tell, " "); got != "3:raise:N>U -57:return:U>R" {
		t.Error(got)
	}
}
