package metersim

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// gatewayFile is a city of one gateway with two meters, and one meter for itself.
func gatewayFile() *zone.File {
	name := zone.Name{En: "x", Ar: "س"}
	return &zone.File{
		City:        zone.City{ID: "town", Name: name, Timezone: "Asia/Damascus"},
		Zones:       []zone.Zone{{ID: "z1", Name: name}},
		Substations: []zone.Substation{{ID: "ss1", Name: name, RatingMVA: 10}},
		Feeders:     []zone.Feeder{{ID: "f1", Name: name, Zone: "z1", From: "ss1", RatingA: 250}},
		Plants: []zone.Plant{{
			ID: "p1", Name: name, Zone: "z1", Feeder: "f1", Sector: zone.Sectors[0], ContractKVA: 500,
			Requirement: zone.Requirement{PowerKW: 400},
		}},
		Meters: []zone.Meter{
			{ID: "f1-e", Zone: "z1", Utility: meter.Electricity, At: "f1", IntervalS: 10, Gateway: "gw"},
			{ID: "p1-e", Zone: "z1", Utility: meter.Electricity, At: "p1", IntervalS: 10, Gateway: "gw"},
			{ID: "p1-b", Zone: "z1", Utility: meter.Electricity, At: "p1", IntervalS: 10},
		},
	}
}

// edge is what was heard of a Sparkplug namespace.
type edge struct {
	verb  string
	seq   uint64
	bdSeq uint64
}

// host listens to a Sparkplug namespace and commands.
type host struct {
	client paho.Client
	mu     sync.Mutex
	heard  []edge
}

func listen(t *testing.T, addr string) *host {
	t.Helper()
	h := &host{}
	h.client = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("host").
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			e := edge{verb: strings.Split(m.Topic(), "/")[2]}
			e.seq, e.bdSeq = session64(m.Payload())
			h.mu.Lock()
			h.heard = append(h.heard, e)
			h.mu.Unlock()
		}))
	for _, do := range []func() paho.Token{h.client.Connect, func() paho.Token { return h.client.Subscribe("spBv1.0/z1/+/gw/#", 1, nil) }} {
		token := do()
		if token.Wait(); token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	t.Cleanup(func() { h.client.Disconnect(1000) })
	return h
}

// session64 reads seq, and bdSeq of a metric of that name.
func session64(b []byte) (seq, bdSeq uint64) {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		b = b[n:]
		switch {
		case field == 3 && kind == protowire.VarintType:
			seq, _ = protowire.ConsumeVarint(b)
		case field == 2 && kind == protowire.BytesType:
			m, _ := protowire.ConsumeBytes(b)
			if i := bytes.LastIndexByte(m, 11<<3); i >= 0 && bytes.Contains(m, []byte("bdSeq")) {
				bdSeq, _ = protowire.ConsumeVarint(m[i+1:])
			}
		}
		b = b[protowire.ConsumeFieldValue(field, kind, b):]
	}
	return seq, bdSeq
}

// find returns the first message of a verb from some place on, and its place.
func (h *host) find(verb string, from int) (edge, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := from; i < len(h.heard); i++ {
		if h.heard[i].verb == verb {
			return h.heard[i], i
		}
	}
	return edge{}, -1
}

// await waits for a verb.
func (h *host) await(t *testing.T, verb string, from int) (e edge, at int) {
	t.Helper()
	eventually(t, verb, func() bool {
		e, at = h.find(verb, from)
		return at >= 0
	})
	return e, at
}

// TestANodeIsBornAgain: a host that joins late hears data alone, asks for the
// births, and hears them with the numbers beginning anew; when the fleet ends,
// the node says that it dies.
func TestANodeIsBornAgain(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	reg, err := zone.New([]*zone.File{gatewayFile()})
	if err != nil {
		t.Fatal(err)
	}
	var truth bytes.Buffer
	f, err := New(with(Options{Registry: reg, Broker: "tcp://" + b.Addr(), Profiles: []string{"sparkplug-b"}, Interval: 20 * time.Millisecond, Truth: &truth}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := f.Run(ctx)
		ended <- err
	}()
	eventually(t, "data", func() bool { return f.Progress().Acknowledged > 10 })
	h := listen(t, b.Addr())
	if _, at := h.await(t, "DDATA", 0); at != 0 {
		t.Errorf("a birth was heard by who joined late: %v", h.heard[:at])
	}
	h.client.Publish("spBv1.0/z1/NCMD/gw", 1, false, rebirthCommand()).Wait()
	birth, at := h.await(t, "NBIRTH", 0)
	device, next := h.await(t, "DBIRTH", at)
	data, _ := h.await(t, "DDATA", next+2)
	if birth.seq != 0 || birth.bdSeq != 0 || device.seq != 1 || data.seq != 3 {
		t.Errorf("birth %+v, device %+v, data %+v; want seq 0, 1, 3 (two devices)", birth, device, data)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if death, _ := h.await(t, "NDEATH", 0); death.bdSeq != 0 {
		t.Errorf("death %+v", death)
	}
	if lines := truth.String(); !strings.Contains(lines, `"meter":"p1-e","ts":`) || !strings.Contains(lines, `"profile":"sparkplug-b"`) || strings.Contains(lines, `"acked":false`) {
		t.Errorf("truth %.2000s", lines)
	}
}

// rebirthCommand is an NCMD with Node Control/Rebirth true.
func rebirthCommand() []byte {
	m := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "Node Control/Rebirth")
	m = protowire.AppendVarint(protowire.AppendTag(m, 14, protowire.VarintType), 1)
	return protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), m)
}

// TestANodeDiesByItsWill: in a play the broker itself tells of the death, with
// the number of the session's birth, and the next session has the next.
func TestANodeDiesByItsWill(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	s := &Scenario{
		Name: "x", Duration: 10 * time.Minute, Seed: 1,
		Causes: []Cause{
			{Cause: "sparkplug_late_join", Object: "gw", For: time.Minute},
			{Cause: "sparkplug_gap", Object: "gw", At: 2 * time.Minute, For: time.Minute},
			{Cause: "sparkplug_death", Object: "gw", At: 4 * time.Minute, For: 2 * time.Minute},
			{Cause: "sparkplug_death", Object: "gw", At: 8 * time.Minute, For: time.Minute, Pattern: "stale"},
		},
	}
	s.Begin(time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC))
	plan, err := Prepare(s, []*zone.File{gatewayFile()}, 1)
	if err != nil {
		t.Fatal(err)
	}
	h := listen(t, b.Addr())
	var truth bytes.Buffer
	f, err := New(with(Options{Plan: plan, Broker: "tcp://" + b.Addr(), Speed: 120, Truth: &truth}))
	if err != nil {
		t.Fatal(err)
	}
	summary, err := f.Run(t.Context())
	if err != nil || summary.Acknowledged < summary.Published {
		t.Fatalf("%v, %v", summary, err)
	}
	_, last := h.await(t, "NDEATH", 0)
	var verbs []string
	eventually(t, "three deaths, one stale, and the farewell", func() bool {
		deaths := 0
		h.mu.Lock()
		defer h.mu.Unlock()
		verbs = nil
		for _, e := range h.heard {
			if e.verb == "NDEATH" {
				deaths++
			}
			if e.verb == "NDEATH" || e.verb == "NBIRTH" {
				verbs = append(verbs, e.verb+" "+string(rune('0'+e.bdSeq)))
			}
		}
		return deaths == 4
	})
	want := []string{"NBIRTH 0", "NDEATH 0", "NBIRTH 1", "NDEATH 1", "NBIRTH 2", "NDEATH 1", "NDEATH 2"}
	if !slices.Equal(verbs, want) {
		t.Errorf("heard %v, want %v", verbs, want)
	}
	if first, at := h.find("DDATA", 0); at != 0 || first.seq != 0 {
		t.Errorf("the late joiner hears %+v at %d first", first, at)
	}
	if _, at := h.find("DDATA", last); at < 0 {
		t.Error("no data after the death")
	}
	if lines := truth.String(); !strings.Contains(lines, `"unreadable":true`) || strings.Contains(lines, `"acked":false`) {
		t.Errorf("truth %.2000s", lines)
	}
}

// TestAReadingOfManyMessages stands in the truth once, acknowledged when all
// of it is.
func TestAReadingOfManyMessages(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	reg, err := zone.New([]*zone.File{gatewayFile()})
	if err != nil {
		t.Fatal(err)
	}
	var truth bytes.Buffer
	f, err := New(with(Options{Registry: reg, Broker: "tcp://" + b.Addr(), Profiles: []string{"victron"}, Interval: 50 * time.Millisecond, Duration: 500 * time.Millisecond, Truth: &truth}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	foreign := strings.Count(truth.String(), `"received":true,"profile":"victron"`)
	lines := strings.Count(truth.String(), "\n")
	const messages = 12 // of a grid meter's reading
	if foreign == 0 || s.Published != int64(lines+(messages-1)*foreign) || s.Acknowledged != s.Published {
		t.Errorf("%v; %d lines of truth, %d of them of %d messages", s, lines, foreign, messages)
	}
	if s.Readings[meter.Electricity] != int64(lines) || strings.Contains(truth.String(), `"acked":false`) {
		t.Errorf("%d readings acknowledged, %d lines", s.Readings[meter.Electricity], lines)
	}
}

// TestALostPart: a reading is not acknowledged if one of its messages is not.
func TestALostPart(t *testing.T) {
	t.Parallel()
	var truth bytes.Buffer
	l := newLedger(&truth)
	p := newProbe(gatewayFile().Meters[0], nil)
	b := &bundle{probe: p, truth: []byte(`{"ts":1,"values":{"p":1}}`)}
	b.open.Store(3)
	for _, acked := range []bool{true, false, true} {
		l.settle(&message{bundle: b, resent: true}, acked)
	}
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := truth.String(), `{"zone":"z1","utility":"electricity","meter":"f1-e","ts":1,"values":{"p":1},"acked":false}`+"\n"; got != want {
		t.Errorf("got %swant %s", got, want)
	}
	if s := l.summary(); s.Acknowledged != 2 || s.Readings[meter.Electricity] != 0 {
		t.Errorf("%+v", s)
	}
}

// TestAheadOfTheBirth: what a fleet's node measures before it has a connection
// waits for its birth, and is readable.
func TestAheadOfTheBirth(t *testing.T) {
	t.Parallel()
	m := dress.Meter{Profile: dress.Sparkplug, Zone: "z1", Utility: meter.Electricity, ID: "p1-e", Gateway: "gw"}
	node := dress.NewNode("z1", "gw", []dress.Meter{m})
	p := newProbe(gatewayFile().Meters[1], nil)
	p.dress, p.node = node.Device(m.ID), node
	for _, sent := range p.put(m, dress.Reading{TS: 1, Values: map[string]float64{"frequency_hz": 50}}) {
		if got, want := string(sent.bundle.truth), `{"ts":1,"profile":"sparkplug-b","values":{"frequency_hz":50}}`; got != want {
			t.Errorf("truth %s, want %s", got, want)
		}
	}
}
