package mqtt

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

const presenceTopic = "spBv1.0/STATE/imdad"

func testPresence() *Presence {
	return &Presence{
		Topic:   presenceTopic,
		Online:  func(at int64) []byte { return fmt.Appendf(nil, `{"online":true,"timestamp":%d}`, at) },
		Offline: func(at int64) []byte { return fmt.Appendf(nil, `{"online":false,"timestamp":%d}`, at) },
	}
}

// timeIn checks which of the two a payload is and returns its time.
func timeIn(t testing.TB, payload []byte, online bool) int64 {
	t.Helper()
	number, ok := strings.CutPrefix(string(payload), fmt.Sprintf(`{"online":%v,"timestamp":`, online))
	at, err := strconv.ParseInt(strings.TrimSuffix(number, "}"), 10, 64)
	if !ok || err != nil {
		t.Fatalf("payload %s, want online %v", payload, online)
	}
	return at
}

// witness is a fake broker that notes what is sent, and misbehaves on demand.
type witness struct {
	*fakeBroker
	t testing.TB

	mu       sync.Mutex
	all      []packets.ControlPacket
	refusing bool                             // grants no filter
	silent   bool                             // answers no PUBLISH
	cut      func(packets.ControlPacket) bool // closes the connection instead of answering
}

func startWitness(t *testing.T) *witness {
	t.Helper()
	w := &witness{t: t, cut: func(packets.ControlPacket) bool { return false }}
	w.fakeBroker = startFakeBroker(t, w.answer)
	return w
}

func (w *witness) answer(packet packets.ControlPacket) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, packet)
	if w.cut(packet) {
		return nil
	}
	if p, ok := packet.(*packets.PublishPacket); ok {
		if p.Qos == 0 || w.silent {
			return []byte{}
		}
		return []byte{0x40, 2, byte(p.MessageID >> 8), byte(p.MessageID)}
	}
	return grant(func(string) byte {
		if w.refusing {
			return refusal
		}
		return 1
	})(packet)
}

// set changes what the broker does.
func (w *witness) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// course lists what was sent, pings left out, the same in a row once.
func (w *witness) course() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, packet := range w.all {
		switch p := packet.(type) {
		case *packets.ConnectPacket:
			all = append(all, "connect")
		case *packets.SubscribePacket:
			all = append(all, "subscribe")
		case *packets.DisconnectPacket:
			all = append(all, "disconnect")
		case *packets.PublishPacket:
			what, _, _ := bytes.Cut(p.Payload, []byte(","))
			all = append(all, fmt.Sprintf("%s qos=%d retain=%v %s", p.TopicName, p.Qos, p.Retain, what))
		}
	}
	return slices.Compact(all)
}

func (w *witness) await(what string, want ...string) {
	w.t.Helper()
	eventually(w.t, fmt.Sprintf("%s; it was %q", what, w.course()), func() bool { return slices.Equal(w.course(), want) })
}

// sent returns the packets of one type.
func sent[P packets.ControlPacket](w *witness) []P {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []P
	for _, packet := range w.all {
		if p, ok := packet.(P); ok {
			all = append(all, p)
		}
	}
	return all
}

const (
	saysOnline  = presenceTopic + ` qos=1 retain=true {"online":true`
	saysOffline = presenceTopic + ` qos=1 retain=true {"online":false`
)

// The course of one connection, after Sparkplug 3.0: tck-id-host-topic-phid-birth-message, -birth-qos, -birth-retain,
// -birth-sub-required, tck-id-operational-behavior-host-application-connect-will, -connect-will-qos,
// -connect-will-retained, -multi-server-timestamp, -death-qos, -death-retained, -disconnect-intentional.
func TestPresenceOfOneConnection(t *testing.T) {
	t.Parallel()
	w := startWitness(t)
	w.set(func() { w.refusing = true })
	o := intakeOptions{config: configFor(w.addr()), presence: testPresence()}
	o.config.Username = "collector"
	o.password = func() (string, error) { return "secret", nil }
	in := start(t, o)
	eventually(t, "the filter is refused", func() bool { return strings.Contains(in.session("imdad").LastError, "refuses") })
	if in.client.Publish("x", nil) {
		t.Error("published before the presence")
	}
	in.client.Announce() // too early: nothing may come of it
	w.await("no presence yet", "connect", "subscribe")
	connect := sent[*packets.ConnectPacket](w)[0]
	if !connect.WillFlag || connect.WillQos != 1 || !connect.WillRetain || connect.WillTopic != presenceTopic {
		t.Errorf("will: %v", connect)
	}
	if connect.Username != "collector" || string(connect.Password) != "secret" || connect.CleanSession ||
		connect.ClientIdentifier != "imdad" || connect.Keepalive != 30 || connect.ProtocolVersion != 4 {
		t.Errorf("the rest of the connect request: %v", connect)
	}
	at := timeIn(t, connect.WillMessage, false)
	if d := time.Since(time.UnixMilli(at)); d < 0 || d > deadline {
		t.Errorf("the time of the will is %s ago", d)
	}

	w.set(func() { w.refusing = false })
	w.await("online", "connect", "subscribe", saysOnline)
	if !in.client.Publish("spBv1.0/a/NCMD/b", []byte("rebirth")) {
		t.Error("not published")
	}
	in.client.Announce()
	w.await("online again", "connect", "subscribe", saysOnline, "spBv1.0/a/NCMD/b qos=0 retain=false rebirth", saysOnline)
	in.stop()
	w.await("the end", "connect", "subscribe", saysOnline, "spBv1.0/a/NCMD/b qos=0 retain=false rebirth", saysOnline, saysOffline, "disconnect")
	for _, p := range sent[*packets.PublishPacket](w) {
		if p.TopicName == presenceTopic && timeIn(t, p.Payload, bytes.Contains(p.Payload, []byte("true"))) != at {
			t.Errorf("%s, the time of the will is %d", p.Payload, at)
		}
	}
	if in.client.Publish("x", nil) {
		t.Error("published after the end")
	}
	in.client.Announce()
}

// Each attempt has a will of its own time, the retries before the first connection as well.
func TestEachAttemptHasItsOwnTime(t *testing.T) {
	t.Parallel()
	w := startWitness(t)
	attempts := 0
	w.set(func() {
		w.cut = func(packet packets.ControlPacket) bool {
			if _, ok := packet.(*packets.ConnectPacket); ok {
				attempts++
			}
			return attempts == 1 || attempts == 2 || attempts == 4
		}
	})
	in := start(t, intakeOptions{config: configFor(w.addr()), presence: testPresence()})
	w.await("connected at the third attempt", "connect", "subscribe", saysOnline)
	in.client.sessions[0].origin.Load().transport.fail(errSilent)
	w.await("connected again at the fifth", "connect", "subscribe", saysOnline, "connect", "subscribe", saysOnline)
	var times []int64
	for _, c := range sent[*packets.ConnectPacket](w) {
		times = append(times, timeIn(t, c.WillMessage, false))
	}
	if len(times) != 5 || !slices.IsSorted(times) || len(slices.Compact(slices.Clone(times))) != 5 {
		t.Errorf("times of the wills: %d", times)
	}
	var online []int64
	for _, p := range sent[*packets.PublishPacket](w) {
		online = append(online, timeIn(t, p.Payload, true))
	}
	if !slices.Equal(online, []int64{times[2], times[4]}) {
		t.Errorf("online at %d, wills %d", online, times)
	}
}

// Where the broker does not take Offline, its own will has to say it.
func TestAFarewellThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	w := startWitness(t)
	in := start(t, intakeOptions{config: configFor(w.addr()), presence: testPresence()})
	w.await("online", "connect", "subscribe", saysOnline)
	w.set(func() { w.silent = true })
	before := time.Now()
	in.stop()
	if took := time.Since(before); took < farewellTimeout || took > farewellTimeout+disconnectTimeout {
		t.Errorf("took %s", took)
	}
	w.await("no goodbye", "connect", "subscribe", saysOnline, saysOffline)
}

func TestABrokerThatForbidsThePresence(t *testing.T) {
	t.Parallel()
	w := startWitness(t)
	w.set(func() {
		w.cut = func(packet packets.ControlPacket) bool { _, ok := packet.(*packets.PublishPacket); return ok }
	})
	in := start(t, intakeOptions{config: configFor(w.addr()), presence: testPresence()})
	eventually(t, "the log names the topic", func() bool {
		return strings.Contains(in.log.String(), "may this user publish on "+presenceTopic)
	})
	in.stop()

	refusing := startFakeBroker(t, func(packets.ControlPacket) []byte { return []byte{0x20, 2, 0, 5} })
	in = start(t, intakeOptions{config: configFor(refusing.addr()), presence: testPresence()})
	eventually(t, "the log names the topic of the will", func() bool {
		return strings.Contains(in.log.String(), `"will_topic":"`+presenceTopic)
	})
}

func TestWithoutPresence(t *testing.T) {
	t.Parallel()
	w := startWitness(t)
	in := start(t, intakeOptions{config: configFor(w.addr())})
	in.awaitSubscribed()
	in.client.Announce()
	if !in.client.Publish("R/portal/keepalive", nil) {
		t.Error("not published")
	}
	in.stop()
	w.await("all of it", "connect", "subscribe", "R/portal/keepalive qos=0 retain=false ", "disconnect")
	if c := sent[*packets.ConnectPacket](w)[0]; c.WillFlag {
		t.Errorf("will: %v", c)
	}
}

func TestOnlyTheFirstSessionIsPresent(t *testing.T) {
	t.Parallel()
	w := startWitness(t)
	o := intakeOptions{config: configFor(w.addr()), presence: testPresence(), filters: []string{"a/#", "b/#"}}
	o.config.Connections = 2
	in := start(t, o)
	in.awaitSubscribed()
	in.stop()
	wills := map[string]bool{}
	for _, c := range sent[*packets.ConnectPacket](w) {
		wills[c.ClientIdentifier] = c.WillFlag
	}
	if !wills["imdad-0"] || wills["imdad-1"] || len(wills) != 2 {
		t.Errorf("wills: %v", wills)
	}
	if n := len(sent[*packets.PublishPacket](w)); n != 2 {
		t.Errorf("%d messages, want online and offline", n)
	}
}

func TestPublishWithoutAConnection(t *testing.T) {
	t.Parallel()
	in := newIntake(t, intakeOptions{config: configFor("127.0.0.1:1")})
	try := func() {
		t.Helper()
		if in.client.Publish("x", []byte("y")) {
			t.Error("published")
		}
		in.client.Announce()
	}
	try()
	in.start()
	eventually(t, "connecting fails", func() bool { return in.session("imdad").LastError != "" })
	try()
	in.stop()
	try()
}

// A broker that reads nothing any more fills a bounded buffer; acknowledgements still find room.
func TestOffersAreBounded(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer closeAll(theirs)
	tr := newTransport(ours, hooks{})
	packet := publication("x", make([]byte, 1000), 0, 0)
	n := 0
	for ; tr.offer(packet); n++ {
		if n > 1000 {
			t.Fatal("no bound")
		}
	}
	if bytes := n * len(packet); bytes < maxOfferedBytes-len(packet) {
		t.Errorf("refused after %d bytes", bytes)
	}
	tr.acknowledge([]Message{{QoS: 1, id: 1}})
	if tr.hasEnded() {
		t.Error("ended")
	}
	closeAll(theirs)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if tr.offer(packet) {
		t.Error("taken after the end")
	}
}

func TestPublishIdentifiers(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	tr := newTransport(ours, hooks{})
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, theirs) // until it is closed
	}()
	p := newPresence(tr, testPresence(), 1)
	for round := range 3 {
		for range maxUnanswered {
			eventually(t, "there is room", func() bool { p.announce(); return p.waiting.Load() > 0 })
		}
		eventually(t, "all are in use", func() bool { p.announce(); return p.waiting.Load() == maxUnanswered })
		p.mu.Lock()
		if p.publish(nil) != nil {
			t.Error("one more than there are")
		}
		for id := range p.unanswered {
			if id < firstPublishID {
				t.Errorf("round %d: identifier %d is one of paho's", round, id)
			}
		}
		p.mu.Unlock()
		for id := range maxUnanswered {
			p.answered(uint16(firstPublishID + id))
			p.answered(uint16(firstPublishID + id)) // twice: nothing happens
		}
		if p.unheard() {
			t.Errorf("round %d: %d are left", round, len(p.unanswered))
		}
	}
	closeAll(theirs)
	<-read
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// What the broker sends is handed on as it is, but for the answers to what was published, whatever the sizes of reads.
func TestAnswersAreTakenOut(t *testing.T) {
	t.Parallel()
	publish := func(n int) []byte {
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Payload, p.Qos, p.MessageID = "t", bytes.Repeat([]byte{0x40, 2}, n/2), 1, 7
		return encode(p)
	}
	welcome, pong := []byte{0x20, 2, 0, 0}, []byte{0xd0, 0}
	puback := []byte{0x40, 2, 0xff, 1}
	for _, c := range []struct {
		name string
		send [][]byte
		want [][]byte
	}{
		{"none", [][]byte{welcome, pong, publish(10)}, [][]byte{welcome, pong, publish(10)}},
		{"between", [][]byte{welcome, puback, pong, puback, puback, publish(200), puback}, [][]byte{welcome, pong, publish(200)}},
		{"long packets", [][]byte{welcome, publish(127), puback, publish(20_000), puback, publish(300_000), puback, pong}, [][]byte{welcome, publish(127), publish(20_000), publish(300_000), pong}},
		{"another length is no answer", [][]byte{welcome, {0x40, 3, 1, 2, 3}, {0x40, 0}, pong}, [][]byte{welcome, {0x40, 3, 1, 2, 3}, {0x40, 0}, pong}},
		{"an endless header", [][]byte{welcome, bytes.Repeat([]byte{0xff}, 40)}, [][]byte{welcome, bytes.Repeat([]byte{0xff}, 40)}},
	} {
		for _, size := range []int{1, 3, 4096, 0} { // 0: random
			t.Run(fmt.Sprintf("%s, reads of %d", c.name, size), func(t *testing.T) {
				t.Parallel()
				ours, theirs := net.Pipe()
				p := newPresence(newTransport(ours, hooks{}), testPresence(), 1)
				var sending sync.WaitGroup
				sending.Go(func() {
					defer closeAll(theirs)
					_, _ = theirs.Write(bytes.Join(c.send, nil)) // the other end tells what came
				})
				var got []byte
				for {
					n := size
					if n == 0 {
						n = 1 + rand.IntN(64)
					}
					buf := make([]byte, n)
					n, err := p.Read(buf)
					got = append(got, buf[:n]...)
					if err != nil {
						break
					}
				}
				if want := bytes.Join(c.want, nil); !bytes.Equal(got, want) {
					t.Errorf("got %d bytes, want %d: %.60x", len(got), len(want), got)
				}
				sending.Wait()
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// watch is a client that sees what is said on the topic.
func watchPresence(t *testing.T, addr string) *intake {
	t.Helper()
	o := intakeOptions{config: configFor(addr), filters: []string{presenceTopic, "R/#"}}
	o.config.ClientID = "watcher"
	in := start(t, o)
	in.awaitSubscribed()
	return in
}

func (in *intake) said() (all []Message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, m := range in.seen {
		if m.Topic == presenceTopic {
			all = append(all, m)
		}
	}
	return all
}

// The whole life at a real broker: online, a cut connection, online again with a newer time, a clean end.
func TestPresenceAtABroker(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	via := startLink(t, broker.Addr())
	watcher := watchPresence(t, broker.Addr())
	in := start(t, intakeOptions{config: configFor(via.addr()), presence: testPresence()})
	said := func(n int) []Message {
		t.Helper()
		eventually(t, fmt.Sprint("message ", n), func() bool { return len(watcher.said()) >= n })
		return watcher.said()
	}
	first := timeIn(t, said(1)[0].Payload, true)
	via.cut()
	if at := timeIn(t, said(2)[1].Payload, false); at != first {
		t.Errorf("the will has the time %d, online had %d", at, first)
	}
	second := timeIn(t, said(3)[2].Payload, true)
	if second <= first {
		t.Errorf("online at %d, before at %d", second, first)
	}
	in.client.Announce()
	if at := timeIn(t, said(4)[3].Payload, true); at != second {
		t.Errorf("announced at %d, want %d", at, second)
	}
	late := start(t, intakeOptions{config: func() Config { c := configFor(broker.Addr()); c.ClientID = "late"; return c }(), filters: []string{presenceTopic}})
	eventually(t, "what is retained", func() bool { return len(late.said()) == 1 })
	if m := late.said()[0]; !m.Retained || timeIn(t, m.Payload, true) != second {
		t.Errorf("retained %v: %s", m.Retained, m.Payload)
	}
	in.stop()
	if at := timeIn(t, said(5)[4].Payload, false); at != second {
		t.Errorf("offline at %d, want %d", at, second)
	}
	watcher.stop()
	if all := watcher.said(); len(all) != 5 {
		t.Errorf("%d messages: the will was published after a clean end, or something came twice", len(all))
	}
}

// Publishing does not disturb the intake: every reading comes once, in order, over one connection.
func TestPublishingBesideTheIntake(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, "max_inflight_messages 1000", "max_queued_messages 0")
	watcher := watchPresence(t, broker.Addr())
	in := start(t, intakeOptions{config: configFor(broker.Addr()), presence: testPresence()})
	eventually(t, "online", func() bool { return len(watcher.said()) == 1 })
	const readings, commands = 40_000, 4000
	var load sync.WaitGroup
	p := newPublisher(t, broker.Addr())
	before := time.Now()
	load.Go(func() { p.publish(topic, 1, 0, readings) })
	published, refused := 0, 0
	load.Go(func() {
		for n := range commands {
			if in.client.Publish("R/portal/keepalive", strconv.AppendInt(nil, int64(n), 10)) {
				published++
			} else {
				refused++
			}
			if n%100 == 0 {
				in.client.Announce()
			}
			<-time.After(100 * time.Microsecond)
		}
	})
	load.Wait()
	eventually(t, "all readings come", func() bool { return in.count() == readings })
	t.Logf("%.0f readings a second beside %d commands, %d refused", readings/time.Since(before).Seconds(), published, refused)
	eventually(t, "all commands and announcements come", func() bool {
		return watcher.count() == published+1+commands/100
	})
	in.stop()
	ordered(t, in.numbers(), readings)
	if c := in.client.sessions[0].counts; c.connects != 1 {
		t.Errorf("counts %+v", c)
	}
	if refused > 0 {
		t.Errorf("%d refused", refused)
	}
}

func TestPresenceIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*Presence)
		want   string
	}{
		{"sound", func(*Presence) {}, ""},
		{"no topic", func(p *Presence) { p.Topic = "" }, "1 to 65535 bytes"},
		{"not UTF-8", func(p *Presence) { p.Topic = "a\xff" }, "1 to 65535 bytes"},
		{"a filter", func(p *Presence) { p.Topic = "a/#" }, "no topic to publish on"},
		{"a control character", func(p *Presence) { p.Topic = "a\n" }, "no topic to publish on"},
		{"no Online", func(p *Presence) { p.Online = nil }, "must be set"},
		{"no Offline", func(p *Presence) { p.Offline = nil }, "must be set"},
	} {
		p := testPresence()
		c.change(p)
		if err := p.validate(); (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
