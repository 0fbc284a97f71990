package mqtt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// sessionKept asks the broker whether it knows a session; asking ends it.
func sessionKept(t *testing.T, addr, clientID string) bool {
	t.Helper()
	options := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(clientID).SetCleanSession(false)
	client := paho.NewClient(options)
	token := client.Connect()
	wait(t, token)
	client.Disconnect(250)
	return token.(*paho.ConnectToken).SessionPresent()
}

func TestFiltersAreSpreadOverConnections(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	o := intakeOptions{config: configFor(broker.Addr()), filters: []string{"a/#", "b/#", "c/#", "d/#", "e/#"}}
	o.config.Connections = 3
	in := start(t, o)
	in.awaitSubscribed()
	p := newPublisher(t, broker.Addr())
	for i, f := range []string{"a", "b", "c", "d", "e"} {
		p.publish(f+"/x", 1, i*10, i*10+10)
	}
	eventually(t, "all messages come", func() bool { return in.count() == 50 })
	in.stop()
	all := in.numbers()
	slices.Sort(all)
	ordered(t, all, 50)
	var sizes []int
	for _, id := range []string{"imdad-0", "imdad-1", "imdad-2"} {
		sizes = append(sizes, len(in.session(id).Filters))
	}
	if !slices.Equal(sizes, []int{2, 2, 1}) {
		t.Errorf("filters per session: %v", sizes)
	}
}

func TestMoreConnectionsThanFilters(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	o := intakeOptions{config: configFor(broker.Addr())}
	o.config.Connections = 3
	in := start(t, o)
	in.awaitSubscribed()
	if n := len(in.client.Status()); n != 1 || !strings.Contains(in.log.String(), "more connections than topic filters") {
		t.Errorf("%d sessions; log:\n%s", n, in.log)
	}
}

// tidied waits until the state file holds just these sessions, each "id: filters".
func tidied(t *testing.T, path string, want ...string) {
	t.Helper()
	eventually(t, "the state file holds "+strings.Join(want, "; "), func() bool {
		st, err := loadState(path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range st.all() {
			got = append(got, r.ClientID+": "+strings.Join(r.Filters, " "))
		}
		return slices.Equal(got, want)
	})
}

func TestChangedFilters(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	path := filepath.Join(t.TempDir(), "sessions.json")
	o := intakeOptions{config: configFor(broker.Addr()), statePath: path, filters: []string{"a/#", "b/#"}}
	in := start(t, o)
	in.awaitSubscribed()
	tidied(t, path, "imdad: a/# b/#")
	in.stop()

	p := newPublisher(t, broker.Addr())
	p.publish("a/x", 1, 0, 100)
	p.publish("b/x", 1, 100, 200)
	o.filters = []string{"b/#", "c/#"}
	in = start(t, o)
	tidied(t, path, "imdad: b/# c/#")
	p.publish("c/x", 1, 200, 300)
	p.publish("a/x", 1, 1000, 1100) // no longer wanted
	p.publish("b/x", 1, 300, 400)
	eventually(t, "all messages come", func() bool { return in.count() >= 400 })
	in.stop()
	ordered(t, in.numbers(), 400)
}

func TestChangedNumberOfConnections(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	path := filepath.Join(t.TempDir(), "sessions.json")
	o := intakeOptions{config: configFor(broker.Addr()), statePath: path, filters: []string{"a/#", "b/#", "c/#"}}
	p := newPublisher(t, broker.Addr())
	steps := []struct {
		connections int
		want        []string
		gone        []string
	}{
		{1, []string{"imdad: a/# b/# c/#"}, nil},
		{3, []string{"imdad-0: a/#", "imdad-1: b/#", "imdad-2: c/#"}, []string{"imdad"}},
		{2, []string{"imdad-0: a/# c/#", "imdad-1: b/#"}, []string{"imdad-2"}},
		{1, []string{"imdad: a/# b/# c/#"}, []string{"imdad-0", "imdad-1"}},
	}
	var got []int
	published := 0
	publish := func() {
		for _, f := range []string{"a", "b", "c"} {
			p.publish(f+"/x", 1, published, published+100)
			published += 100
		}
	}
	for i, step := range steps {
		o.config.Connections = step.connections
		in := start(t, o)
		in.awaitSubscribed()
		publish()
		tidied(t, path, step.want...)
		publish()
		eventually(t, "all messages so far come", func() bool {
			all := append(slices.Clone(got), in.numbers()...)
			slices.Sort(all)
			return len(slices.Compact(all)) == published
		})
		in.stop()
		got = append(got, in.numbers()...)
		for _, id := range step.gone {
			if sessionKept(t, broker.Addr(), id) {
				t.Errorf("step %d: the broker still keeps session %s", i, id)
			}
		}
		publish() // while nobody is connected
	}
	in := start(t, o)
	eventually(t, "the last messages come", func() bool { return in.count() >= 300 })
	in.stop()
	got = append(got, in.numbers()...)
	slices.Sort(got)
	ordered(t, slices.Compact(got), published)
}

// A surplus session is ended only when the consumer is done with what it had.
func TestASurplusSessionIsKeptUntilItIsDone(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	path := filepath.Join(t.TempDir(), "sessions.json")
	o := intakeOptions{config: configFor(broker.Addr()), statePath: path}
	in := start(t, o)
	in.awaitSubscribed()
	in.stop()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 1000)

	o.config.ClientID = "renamed"
	in = start(t, o)
	in.paused.Store(true)
	eventually(t, "the old session is unsubscribed and silent", func() bool {
		s := in.session("imdad")
		return s.Retiring && s.Connected && in.count() > 0
	})
	in.stop() // before it could be drained: the consumer was paused
	first := in.numbers()
	in = start(t, o)
	tidied(t, path, "renamed: imdad/v1/#")
	in.stop()
	all := append(first, in.numbers()...)
	slices.Sort(all)
	ordered(t, slices.Compact(all), 1000)
	if sessionKept(t, broker.Addr(), "imdad") {
		t.Error("the broker still keeps the old session")
	}
}

func TestChangedShare(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	path := filepath.Join(t.TempDir(), "sessions.json")
	o := intakeOptions{config: configFor(broker.Addr()), statePath: path}
	p := newPublisher(t, broker.Addr())
	var got []int
	for i, share := range []string{"", "group", "other", ""} {
		o.config.Share = share
		in := start(t, o)
		in.awaitSubscribed()
		tidied(t, path, "imdad: "+inGroup(share, "imdad/v1/#"))
		p.publish(topic, 1, i*200, i*200+100)
		eventually(t, "what was published comes", func() bool { return slices.Contains(in.numbers(), i*200+99) })
		in.stop()
		got = append(got, in.numbers()...)
		p.publish(topic, 1, i*200+100, i*200+200)
	}
	o.config.Share = ""
	in := start(t, o)
	eventually(t, "the rest comes", func() bool { return slices.Contains(in.numbers(), 799) })
	in.stop()
	ordered(t, append(got, in.numbers()...), 800) // each once: no filter was left subscribed twice
}

func TestADamagedStateFileIsMovedAside(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", `{"version":99}`, "\x00\x00"} {
		path := filepath.Join(t.TempDir(), "sessions.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		in := newIntake(t, intakeOptions{config: configFor("127.0.0.1:1"), statePath: path})
		if !strings.Contains(in.log.String(), "damaged") {
			t.Errorf("content %q: nothing in the log", content)
		}
		aside, err := os.ReadFile(path + ".damaged")
		if err != nil || string(aside) != content {
			t.Errorf("content %q: aside %q, %v", content, aside, err)
		}
	}
}

func TestASessionThatWasNeverMadeIsNotForgotten(t *testing.T) {
	t.Parallel()
	o := intakeOptions{config: configFor("127.0.0.1:1"), statePath: filepath.Join(t.TempDir(), "sessions.json")}
	in := start(t, o)
	eventually(t, "connecting fails", func() bool { return in.session("imdad").LastError != "" })
	in.stop()
	tidied(t, o.statePath, "imdad: imdad/v1/#")

	o.config = configFor(startBroker(t).Addr())
	in = start(t, o)
	in.awaitSubscribed()
	in.stop()
	if n := in.client.sessions[0].counts.forgotten; n != 0 {
		t.Errorf("%d forgotten sessions", n)
	}
}

// While the queue is full nothing is read, which is no sign that the surplus session is
// drained.
func TestASurplusSessionIsDrainedThroughAFullQueue(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, "max_inflight_messages 0")
	path := filepath.Join(t.TempDir(), "sessions.json")
	o := intakeOptions{config: configFor(broker.Addr()), statePath: path, filters: []string{"a/#"}}
	in := start(t, o)
	in.awaitSubscribed()
	in.stop()
	p := newPublisher(t, broker.Addr())
	const n = 20_000
	p.publish("a/x", 1, 0, n)

	o.config.ClientID, o.queueBytes, o.patience = "renamed", 256<<10, 3*time.Second
	in = newIntake(t, o)
	in.paused.Store(true)
	in.start()
	eventually(t, "the queue is full", func() bool {
		in.client.queue.mu.Lock()
		defer in.client.queue.mu.Unlock()
		return !in.client.queue.holding.IsZero()
	})
	<-time.After(quietPeriod) // of silence, all of it ours
	in.paused.Store(false)
	tidied(t, path, "renamed: a/#")
	in.stop()
	all := in.numbers()
	slices.Sort(all)
	ordered(t, slices.Compact(all), n)
}
