package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

const (
	edgeZone  = "z1"
	edgeNodes = 3  // of two meters each
	edgeLeast = 50 // ms between the readings of a meter: no counter goes too fast
)

// edges is a city whose meters are behind Sparkplug nodes of the test's own.
type edges struct {
	*city
	nodes []*edgeNode
}

// newEdges starts broker and database, and readies the nodes; none is connected.
func newEdges(t *testing.T, change ...func(*edges)) *edges {
	t.Helper()
	w := &edges{city: newCity(t)}
	file := edgeFile()
	text, err := configs.MarshalRegistry(file)
	w.must("write the registry", err)
	w.config.Cities = []string{w.write("edges.yaml", string(text))}
	w.registry, err = zone.New([]*zone.File{file})
	w.must("load the registry", err)
	behind := make(map[string][]dress.Meter)
	var all []dress.Meter
	for i, def := range file.Meters {
		m := dress.Meter{
			Profile: dress.Sparkplug, Zone: def.Zone, Utility: def.Utility, ID: def.ID, Gateway: def.Gateway,
			Kind: map[meter.Utility]dress.Kind{meter.Electricity: dress.Load, meter.Water: dress.Pipe}[def.Utility], Number: i + 1,
		}
		behind[m.Gateway] = append(behind[m.Gateway], m)
		all = append(all, m)
	}
	w.sources, err = dress.SourcesYAML(all)
	w.must("write the sources", err)
	for n := range edgeNodes {
		id := gatewayID(n)
		w.nodes = append(w.nodes, &edgeNode{c: w.city, id: id, meters: behind[id], node: dress.NewNode(edgeZone, id, behind[id])})
	}
	for _, f := range change {
		f(w)
	}
	return w
}

// write puts a file beside the configuration.
func (w *edges) write(name, text string) (path string) {
	w.t.Helper()
	path = filepath.Join(w.dir, name)
	w.must("write "+name, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func gatewayID(n int) string { return fmt.Sprintf("gw%d", n+1) }

// edgeFile is the registry: a plant with an electricity and a water meter behind
// each gateway.
func edgeFile() *zone.File {
	name := zone.Name{En: "x", Ar: "س"}
	f := &zone.File{
		City:        zone.City{ID: "edge", Name: name},
		Zones:       []zone.Zone{{ID: edgeZone, Name: name}},
		Substations: []zone.Substation{{ID: "ss1", Name: name, RatingMVA: 30}},
		Feeders:     []zone.Feeder{{ID: "f1", Name: name, Zone: edgeZone, From: "ss1", RatingA: 400}},
	}
	for n := range edgeNodes {
		plant := fmt.Sprintf("p%d", n+1)
		f.Plants = append(f.Plants, zone.Plant{
			ID: plant, Name: name, Zone: edgeZone, Feeder: "f1", Sector: zone.Sectors[0], ContractKVA: 500,
			Requirement: zone.Requirement{PowerKW: 400},
		})
		f.Meters = append(f.Meters,
			zone.Meter{ID: plant + "-e", Zone: edgeZone, Utility: meter.Electricity, At: plant, IntervalS: 10, Gateway: gatewayID(n)},
			zone.Meter{ID: plant + "-w", Zone: edgeZone, Utility: meter.Water, At: plant, IntervalS: 10, Gateway: gatewayID(n)})
	}
	return f
}

// edgeNode is a Sparkplug node that speaks when it is told to, but gives birth
// again whenever a host asks it to.
type edgeNode struct {
	c      *city
	id     string
	meters []dress.Meter
	node   *dress.Node
	client paho.Client
	wire   net.Conn

	mu     sync.Mutex
	asked  []time.Time // when NCMD asked for a rebirth
	heard  bool        // the host has a session, and has asked or been there all the time
	ts     int64       // of the last reading, ms
	told   []*truth
	tokens []paho.Token
}

// connect begins a session, with its death as the will of the connection.
func (n *edgeNode) connect() {
	n.c.t.Helper()
	death := n.node.Next(time.Now().UnixMilli())
	o := paho.NewClientOptions().AddBroker("tcp://"+n.c.broker.Addr()).SetClientID("edge-"+n.id).
		SetAutoReconnect(false).SetOrderMatters(false).SetBinaryWill(death.Topic, death.Payload, 1, false).
		SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (conn net.Conn, err error) {
			n.wire, err = net.Dial("tcp", u.Host)
			return n.wire, err
		})
	n.client = paho.NewClient(o)
	client := n.client
	n.c.await(client.Connect())
	n.c.t.Cleanup(func() { client.Disconnect(250) })
	n.node.Connect()
	n.c.await(client.Subscribe(n.node.Commands(), 1, func(_ paho.Client, m paho.Message) {
		if dress.IsRebirth(m.Payload()) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.asked, n.heard = append(n.asked, time.Now()), true
			n.births()
		}
	}))
	n.mu.Lock()
	defer n.mu.Unlock()
	n.births()
}

// births publishes them; n.mu is held.
func (n *edgeNode) births() {
	for _, m := range n.node.Births(time.Now().UnixMilli()) {
		n.publish(m)
	}
}

func (n *edgeNode) publish(m dress.Message) {
	n.tokens = append(n.tokens, n.client.Publish(m.Topic, 1, false, m.Payload))
}

// say publishes a reading of each meter.
func (n *edgeNode) say() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ts = max(n.ts+edgeLeast, time.Now().UnixMilli())
	for _, m := range n.meters {
		x := float64(len(n.told) + 1)
		values := map[string]float64{
			"active_power_kw": 100 + x/7, "energy_import_kwh": 1_000_000 + x/1000, "voltage_l1_v": 230 + x/50, "frequency_hz": 50 - x/1e4,
		}
		if m.Utility == meter.Water {
			values = map[string]float64{"volume_m3": 5000 + x/1000, "flow_m3h": 10 + x/100, "pressure_bar": 3 + x/1000}
		}
		sent := n.node.Device(m.ID).Put(dress.Reading{TS: n.ts, Values: values})
		n.publish(dress.Message{Topic: sent.Messages[0].Topic, Payload: n.node.Seal(sent.Messages[0].Payload)})
		n.told = append(n.told, &truth{Zone: m.Zone, Utility: m.Utility, Meter: m.ID, TS: n.ts, Values: sent.Values, Acked: n.heard, Profile: dress.Sparkplug})
	}
}

// die breaks the connection: the broker sends the will.
func (n *edgeNode) die() {
	n.c.t.Helper()
	n.settle()
	n.c.must("break the connection", n.wire.Close())
}

// settle waits until the broker has acknowledged everything.
func (n *edgeNode) settle() {
	n.c.t.Helper()
	n.mu.Lock()
	tokens := n.tokens
	n.tokens = nil
	n.mu.Unlock()
	for _, t := range tokens {
		n.c.await(t)
	}
}

// rebirths is how often it has been asked, and when at last.
func (n *edgeNode) rebirths() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

// last returns the last reading of its first meter.
func (n *edgeNode) last() *truth {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.told[len(n.told)-len(n.meters)]
}

// say lets all nodes speak.
func (w *edges) say() {
	for _, n := range w.nodes {
		n.say()
	}
}

// connect begins a session of each node.
func (w *edges) connect(heard bool) {
	w.t.Helper()
	for _, n := range w.nodes {
		n.heard = heard
		n.connect()
	}
}

// waitStored waits until the database has what the nodes have said last.
func (w *edges) waitStored() {
	w.t.Helper()
	for _, n := range w.nodes {
		n.settle()
		l := n.last()
		w.eventually("the last reading of "+n.id, func() (stored bool, err error) {
			q := fmt.Sprintf("SELECT quality FROM %q WHERE meter = '%s' AND time = %dms", l.Utility, l.Meter, l.TS)
			err = w.query(q, func(series) error { stored = true; return nil })
			return stored, err
		})
	}
}

// verify compares what the nodes have said with the database and the ledger. So
// many messages have been in quarantine, and are no more.
func (w *edges) verify(replayed int64) {
	w.t.Helper()
	j := newJudgement(w.city, nil)
	for _, n := range w.nodes {
		n.settle()
		n.mu.Lock()
		for _, l := range n.told {
			j.take(l)
		}
		n.mu.Unlock()
	}
	w.waitLast()
	j.compare(w.points())
	j.report()
	w.balanceBooks(replayed)
}
