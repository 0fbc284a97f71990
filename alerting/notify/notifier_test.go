package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// plain renders a content as its type and alarms.
type plain struct{}

func (plain) Render(c message.Content, l message.Language, loc *time.Location) (message.Text, error) {
	var ids []string
	for _, a := range c.Alarms {
		if a.Object == "unspeakable" {
			return message.Text{}, errors.New("no words")
		}
		ids = append(ids, a.ID)
	}
	return message.Text{Subject: fmt.Sprintf("%s %s %s %s", l, c.Type, strings.Join(ids, ","), loc)}, nil
}

// fakeJournal is a journal in memory.
type fakeJournal struct {
	mu    sync.Mutex
	lines []alarm.Transition
	reads int
	err   error
	held  int64
}

func (j *fakeJournal) Hold(_ string, seq int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held = seq
}

func (j *fakeJournal) List() []alarm.Alarm {
	j.mu.Lock()
	defer j.mu.Unlock()
	live := make(map[string]alarm.Alarm)
	for _, t := range j.lines {
		live[t.Alarm.ID] = t.Alarm
		if t.To == alarm.Normal {
			delete(live, t.Alarm.ID)
		}
	}
	return slices.Collect(maps.Values(live))
}

func (j *fakeJournal) LastSeq() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return int64(len(j.lines))
}

func (j *fakeJournal) Transitions(_ context.Context, after int64, limit int) ([]alarm.Transition, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reads++
	if j.err != nil {
		return nil, j.err
	}
	end := min(len(j.lines), int(after)+limit)
	return slices.Clone(j.lines[after:end]), nil
}

func (j *fakeJournal) add(ts ...alarm.Transition) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, ts...)
}

// box is a channel that keeps what it takes, and fails as told.
type box struct {
	mu    sync.Mutex
	taken []Notice
	fail  func(Notice) error
	came  chan struct{} // one for each attempt
}

func newBox() *box { return &box{came: make(chan struct{}, 10000)} }

func (b *box) Send(_ context.Context, n Notice) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.came <- struct{}{} }()
	if b.fail != nil {
		if err := b.fail(n); err != nil {
			return err
		}
	}
	b.taken = append(b.taken, n)
	return nil
}

func (b *box) setFail(f func(Notice) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = f
}

func (b *box) all() []Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.taken)
}

func (b *box) subjects() []string {
	var out []string
	for _, n := range b.all() {
		out = append(out, n.Texts[n.Language].Subject)
	}
	return out
}

// rig is a notifier with everything around it.
type rig struct {
	t                         testing.TB
	dir                       string
	journal                   *fakeJournal
	telegram, email, sms, hub *box
	n                         *Notifier
	reg                       *prometheus.Registry
	log                       *bytes.Buffer
	w                         *teller // makes transitions
}

func newRig(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{
		t: t, dir: t.TempDir(), journal: &fakeJournal{}, telegram: newBox(), email: newBox(), sms: newBox(), hub: newBox(),
		w: newTeller(t, config()),
	}
	r.open(change...)
	return r
}

func (r *rig) open(change ...func(*Options)) {
	r.t.Helper()
	r.reg, r.log = prometheus.NewRegistry(), &bytes.Buffer{}
	o := Options{
		Dir: r.dir, Config: config(), Registry: registry(r.t), Journal: r.journal, Renderer: plain{},
		Channels: []Spec{
			{Name: "telegram", Channel: r.telegram}, {Name: "email", Channel: r.email}, {Name: "sms", Channel: r.sms},
			{Name: "webhook", Channel: r.hub, Stream: true},
		},
		Now: func() time.Time { return noon }, Jitter: func() float64 { return 0 },
		Registerer: r.reg, Log: zerolog.New(zerolog.SyncWriter(r.log)),
	}
	for _, c := range change {
		c(&o)
	}
	n, err := New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.n = n
	r.t.Cleanup(func() { _ = n.Close() }) // a test may have closed it
}

func (r *rig) plan() {
	r.t.Helper()
	if err := r.n.Plan(r.t.Context(), r.w.now); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) deliver() {
	r.t.Helper()
	if err := r.n.Deliver(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// raise raises an alarm and lets its group wait pass.
func (r *rig) raise(id string, change ...func(*alarm.Alarm)) {
	r.t.Helper()
	r.journal.add(r.w.event(alarm.Raise, id, alarm.Unacknowledged, change...))
	r.plan()
	r.w.now = r.w.now.Add(10 * time.Second)
	r.plan()
}

func (r *rig) states() []string {
	r.t.Helper()
	list, err := r.n.Notices(r.t.Context(), 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, l := range list {
		if l.Person != "" {
			out = append(out, fmt.Sprintf("%d %s %s %s %d", l.ID, l.Person, l.Channel, l.State, l.Attempts))
		}
	}
	return out
}

func expect(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEndToEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	r.deliver()
	expect(t, "email", r.email.subjects(), "en alarm elec.outage:f3 Asia/Damascus")
	expect(t, "outbox", r.states(), "2 basem email sent 1")
	hub := r.hub.all()
	if len(hub) != 1 || len(hub[0].Texts) != 2 || hub[0].Content.Alarms[0].State != alarm.Unacknowledged {
		t.Errorf("the stream got %+v", hub)
	}
}

func TestPermanentErrorTakesTheNextWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.telegram.setFail(func(Notice) error { return fmt.Errorf("blocked: %w", ErrPermanent) })
	r.raise("water.stopped:z1")
	r.deliver()
	r.deliver()
	expect(t, "email", r.email.subjects(), "ar alarm water.stopped:z1 Asia/Damascus")
	expect(t, "outbox", r.states(), "2 amal telegram failed 1", "3 amal email sent 1")
	if got := testutil.ToFloat64(r.n.metrics.notices.WithLabelValues("telegram", resultFailed)); got != 1 {
		t.Errorf("%v counted as failed", got)
	}
}

func TestWithoutWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:unspeakable", func(a *alarm.Alarm) { a.InZone = "z2" })
	r.deliver()
	expect(t, "outbox", r.states(), "2 basem email failed 1")
	if !strings.Contains(r.log.String(), "no words") {
		t.Errorf("log: %s", r.log)
	}
}

func TestAddressesDoNotDelayOneAnother(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.email.setFail(func(n Notice) error {
		if n.Person == "basem" {
			return errors.New("mailbox busy")
		}
		return nil
	})
	r.raise("elec.shortfall:z2") // basem, muna
	r.raise("plant.stalled:z2-p1")
	r.deliver()
	expect(t, "email", r.email.subjects(), "ar alarm elec.shortfall:z2 Asia/Damascus", "ar alarm plant.stalled:z2-p1 Asia/Damascus")
	expect(t, "outbox", r.states(), "2 basem email waiting 1", "3 muna email sent 1", "5 basem email waiting 0", "6 muna email sent 1")
}

// TestRun lets a channel be dead for a while: another is not delayed, and its
// own notices leave in order afterwards.
func TestRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.email.setFail(func(Notice) error { return &Later{After: time.Millisecond, Err: errors.New("down")} })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.n.Run(ctx) }()
	r.raise("elec.outage:f3")
	<-r.email.came
	r.raise("water.stopped:z1")
	<-r.telegram.came
	r.email.setFail(nil)
	r.raise("water.stopped:z2")
	for len(r.email.all()) < 2 {
		<-r.email.came
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect(t, "email", r.email.subjects(), "en alarm elec.outage:f3 Asia/Damascus", "en alarm water.stopped:z2 Asia/Damascus")
}

func TestReopenRepeatsWhatWasBeingSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	r.raise("water.stopped:z2")
	if c, _ := r.n.workers[1].next(time.Now()); c == nil || c.State != sending {
		t.Fatalf("next: %+v", c)
	}
	if err := r.n.Close(); err != nil {
		t.Fatal(err)
	}
	r.open()
	r.plan()
	r.deliver()
	got := r.email.all()
	if len(got) != 2 || !got[0].Repeated || !got[0].Content.Repeated || got[1].Repeated {
		t.Errorf("sent after the crash: %+v", got)
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.journal.add(r.w.event(alarm.Raise, "elec.outage:f3", alarm.Unacknowledged))
	r.plan()
	reopen := func() {
		t.Helper()
		if err := r.n.Close(); err != nil {
			t.Fatal(err)
		}
		r.open()
	}
	reopen() // while it waits in the inbox
	r.w.now = r.w.now.Add(10 * time.Second)
	r.plan()
	reopen() // while it waits in the outbox
	r.deliver()
	reopen() // after it was sent
	r.journal.add(r.w.event(alarm.Return, "elec.outage:f3", alarm.Normal))
	r.plan()
	reopen()
	r.w.now = r.w.now.Add(10 * time.Second)
	r.plan()
	r.deliver()
	expect(t, "email", r.email.subjects(), "en alarm elec.outage:f3 Asia/Damascus", "en returned elec.outage:f3 Asia/Damascus")
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	r.deliver()
	if err := r.n.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.dir, "outbox.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("rubbish "), 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	r.open()
	if !strings.Contains(r.log.String(), "damaged") {
		t.Errorf("nothing is said: %s", r.log)
	}
	if aside, err := filepath.Glob(path + ".damaged-*"); err != nil || len(aside) == 0 {
		t.Errorf("the damaged file is gone: %v", err)
	}
	r.plan()
	r.w.now = r.w.now.Add(10 * time.Second)
	r.plan()
	r.deliver()
	got := r.email.all()
	if len(got) != 2 || got[1].Content.Alarms[0].ID != "elec.outage:f3" || !got[1].Repeated {
		t.Fatalf("what stands is told again: %+v", got)
	}
}

func TestDamagedRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	r.raise("water.stopped:z2")
	if err := r.n.store.exec("UPDATE outbox SET body = x'00' WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	if err := r.n.Close(); err != nil {
		t.Fatal(err)
	}
	r.open()
	r.plan()
	r.deliver()
	expect(t, "outbox", r.states(), "2 basem email failed 0", "4 basem email sent 1")
}

func TestLocked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := New(Options{Dir: r.dir, Config: config(), Registry: registry(t), Journal: r.journal, Renderer: plain{},
		Channels: []Spec{{Name: "telegram", Channel: r.telegram}, {Name: "email", Channel: r.email}, {Name: "sms", Channel: r.sms}}})
	if !errors.Is(err, ErrLocked) {
		t.Errorf("second notifier: %v", err)
	}
}

func TestChannelNoLongerConfigured(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("water.stopped:z1")
	if err := r.n.Close(); err != nil {
		t.Fatal(err)
	}
	r.open(func(o *Options) {
		o.Channels = o.Channels[1:]
		delete(o.Config.People[0].Contacts, "telegram")
	})
	r.plan()
	r.deliver()
	expect(t, "outbox", r.states(), "2 amal telegram failed 0", "3 amal email sent 1")
}

func TestJournalFailsAndIsReadAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.journal.add(r.w.event(alarm.Raise, "elec.outage:f3", alarm.Unacknowledged))
	r.journal.err = errors.New("disk")
	if err := r.n.Plan(t.Context(), r.w.now); err == nil {
		t.Error("Plan says nothing of a journal that fails")
	}
	r.journal.err = nil
	r.plan()
	r.w.now = r.w.now.Add(10 * time.Second)
	r.plan()
	r.deliver()
	expect(t, "email", r.email.subjects(), "en alarm elec.outage:f3 Asia/Damascus")
}

// TestJournalLost: the book has lost an alarm for which notices went out, and
// numbers go on.
func TestJournalLost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	r.raise("water.stopped:z2")
	r.deliver()
	if err := r.n.Close(); err != nil {
		t.Fatal(err)
	}
	r.journal.lines[0].Alarm.ID = "something else"
	r.open()
	r.plan()
	r.deliver()
	if hub := r.hub.all(); len(hub) != 3 || !Over(hub[2].Content.Alarms[0]) || hub[2].Content.Alarms[0].ID != "elec.outage:f3" {
		t.Errorf("the stream got %+v", hub)
	}
	if got := r.n.Standing(); len(got) != 1 || got[0].ID != "water.stopped:z2" {
		t.Errorf("standing: %+v", got)
	}
	if len(r.email.all()) != 2 || r.journal.held != 2 {
		t.Errorf("%d notices, journal held at %d", len(r.email.all()), r.journal.held)
	}
}

func TestFirstReadingCoalescesStreams(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 1200 {
		r.journal.add(r.w.event(alarm.Raise, "elec.outage:f3", alarm.Unacknowledged), r.w.event(alarm.Return, "elec.outage:f3", alarm.Normal))
	}
	r.journal.add(r.w.event(alarm.Raise, "water.stopped:z2", alarm.Unacknowledged))
	r.plan()
	r.deliver()
	if got := len(r.hub.all()); got != 2 {
		t.Errorf("the stream got %d notices of two alarms", got)
	}
}

func TestLinksInNotices(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.PublicURL = "https://imdad.example/" })
	r.raise("elec.outage:f3")
	r.deliver()
	url := r.email.all()[0].Content.AckURL
	link, err := r.n.Verify(strings.TrimPrefix(url, "https://imdad.example/acknowledge?token="))
	want := Link{Alarm: "elec.outage:f3", Occurrence: 1, Person: "basem", Expires: noon.Add(24 * time.Hour)}
	if err != nil || link.Alarm != want.Alarm || link.Occurrence != want.Occurrence || link.Person != want.Person || !link.Expires.Equal(want.Expires) {
		t.Errorf("%s: %+v, %v", url, link, err)
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bad := config()
	bad.People[1].Zones = []string{"z9"}
	if err := r.n.Reload(bad, registry(t)); err == nil || !strings.Contains(err.Error(), "people[1].zones[0]: there is no zone") {
		t.Errorf("bad configuration: %v", err)
	}
	good := config()
	good.People[1].Zones = []string{"z1"}
	if err := r.n.Reload(good, registry(t)); err != nil {
		t.Fatal(err)
	}
	r.raise("water.stopped:z1")
	r.deliver()
	expect(t, "email", r.email.subjects(), "en alarm water.stopped:z1 Asia/Damascus")
}

func TestReloadWithoutAPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.shortfall:z2")
	c := config()
	c.People = c.People[2:]
	if err := r.n.Reload(c, registry(t)); err != nil {
		t.Fatal(err)
	}
	r.plan()
	r.deliver()
	expect(t, "outbox", r.states(), "2 basem email cancelled 0", "3 muna email sent 1")
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	if got := testutil.ToFloat64(r.n.metrics.queue.WithLabelValues("email")); got != 1 {
		t.Errorf("queue %v", got)
	}
	r.deliver()
	problems, err := testutil.GatherAndLint(r.reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	if got := testutil.ToFloat64(r.n.metrics.notices.WithLabelValues("email", resultSent)); got != 1 {
		t.Errorf("sent %v", got)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	r.deliver()
	r.w.now = r.w.now.Add(31 * 24 * time.Hour)
	r.plan()
	expect(t, "outbox", r.states())
	r.raise("water.stopped:z2")
	r.deliver()
	if got := r.states(); len(got) != 1 || strings.HasPrefix(got[0], "1 ") {
		t.Errorf("numbers are given again: %v", got)
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range maxQueue + 5 {
		r.n.s.addRow(&row{Notice: int64(i), Channel: "webhook", Queued: time.Now()})
	}
	if _, pause := r.n.workers[3].next(time.Now()); pause != 0 {
		t.Fatalf("nothing to send for %v", pause)
	}
	if got := len(r.n.s.queues["webhook"]); got != maxQueue {
		t.Errorf("%d rows wait", got)
	}
}

func TestPlanWithoutNews(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.raise("elec.outage:f3")
	reads := r.journal.reads
	for range 100 {
		r.plan()
	}
	if r.journal.reads != reads {
		t.Errorf("the journal was read %d times", r.journal.reads-reads)
	}
}

func BenchmarkPlanWithoutNews(b *testing.B) {
	r := newRig(b)
	for i := range 200 {
		r.journal.add(r.w.event(alarm.Raise, fmt.Sprintf("elec.outage:z1-%d", i), alarm.Unacknowledged, severity(rule.Medium)))
	}
	r.plan()
	b.ReportAllocs()
	for b.Loop() {
		r.plan()
	}
}

func BenchmarkPlanAndSend(b *testing.B) {
	r := newRig(b, func(o *Options) { o.Config.Pace = Pace{Every: time.Second, Burst: 100, Flood: 1000, Calm: 1} })
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.w.now = r.w.now.Add(time.Minute)
		r.journal.add(r.w.event(alarm.Raise, fmt.Sprintf("elec.outage:z2-%d", i), alarm.Unacknowledged, severity(rule.Critical)))
		r.plan()
		r.deliver()
	}
	if len(r.email.all()) == 0 {
		b.Error("nothing was sent")
	}
}

// BenchmarkStorm plans 500 alarms that come in 50 steps, for 40 managers.
func BenchmarkStorm(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, func(o *Options) {
			for i := range 40 {
				p := o.Config.People[1]
				p.ID = fmt.Sprintf("p%d", i)
				o.Config.People = append(o.Config.People, p)
			}
		})
		b.StartTimer()
		for step := range 50 {
			for i := range 10 {
				r.journal.add(r.w.event(alarm.Raise, fmt.Sprintf("elec.outage:z2-%d", step*10+i), alarm.Unacknowledged))
			}
			r.plan()
			r.w.now = r.w.now.Add(time.Second)
		}
		b.StopTimer()
		if err := r.n.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
