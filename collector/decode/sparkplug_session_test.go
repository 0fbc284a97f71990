package decode_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/imdad-telemetry/imdad/collector/decode"
	pb "github.com/imdad-telemetry/imdad/collector/decode/sparkplugpb"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// nbirth makes an NBIRTH with bdSeq 0 at the time of these tests.
func nbirth(metrics string) string { return nbirthOf(0, arrived, metrics) }

func nbirthOf(bdSeq int, at int64, metrics string) string {
	return fmt.Sprintf(`{"timestamp":%d,"seq":0,"metrics":[{"name":"bdSeq","dataType":"Int64","value":%d},
		{"name":"Node Control/Rebirth","dataType":"Boolean","value":false},%s]}`, at, bdSeq, metrics)
}

func ndeath(bdSeq int) string {
	return fmt.Sprintf(`{"metrics":[{"name":"bdSeq","dataType":"Int64","value":%d}]}`, bdSeq)
}

// values makes a message of aliases 1, 2, … with integers.
func values(seq int, at int64, v ...int) string {
	var metrics []string
	for i, x := range v {
		metrics = append(metrics, fmt.Sprintf(`{"alias":%d,"as":"Int32","value":%d}`, i+1, x))
	}
	return fmt.Sprintf(`{"timestamp":%d,"seq":%d,"metrics":[%s]}`, at, seq, strings.Join(metrics, ","))
}

const (
	nodeX   = `{"name":"x","alias":1,"dataType":"Int32","value":1}`
	rebirth = "spBv1.0/g/NCMD/n"
)

func (p *plant) expectAsks(after int64, want ...string) {
	p.t.Helper()
	if got := p.asks(after); !slices.Equal(got, want) {
		p.t.Errorf("asks %q after %d ms, want %q", got, after, want)
	}
}

func TestSparkplugLateJoin(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.expect("spBv1.0/g/NDATA/n", values(17, arrived, 5), "!no_birth")
	p.expect("spBv1.0/g/DDATA/n/d", values(18, arrived, 5), "!no_birth")
	p.expectAsks(0, rebirth)
	p.expect("spBv1.0/g/NBIRTH/n", nbirth(nodeX), "gateway g/n online=true\ng/electricity/n received x=1")
	p.expect("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[{"name":"y","alias":2,"dataType":"Int32","value":2}]}`, "g/electricity/d received y=2")
	p.expect("spBv1.0/g/NDATA/n", values(2, arrived, 6), "g/electricity/n received partial x=6")
	p.expectAsks(20_000)
}

// What tells by itself what it is needs no birth.
func TestSparkplugNamedDataWithoutABirth(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.expect("spBv1.0/g/DDATA/n/d", `{"timestamp":1795421700000,"seq":3,"metrics":[
		{"name":"Load/P","as":"Double","value":1.5},{"name":"n","as":"Int32","value":7},{"name":"m","dataType":"Int32","value":-7}]}`,
		"g/electricity/d received partial load_p=1.5 n=7 m=-7")
	p.expectAsks(0, rebirth)
	// Without a datatype nobody knows that this is -7.
	p.expect("spBv1.0/g/DDATA/n/d", `{"timestamp":1795421700000,"seq":4,"metrics":[{"name":"n","as":"Int32","value":-7}]}`, "!no_birth")
}

func TestSparkplugSequenceGap(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.gets("spBv1.0/g/NDATA/n", values(1, arrived, 1))
	p.expect("spBv1.0/g/NDATA/n", values(3, arrived, 3), "g/electricity/n received partial x=3")
	p.expectAsks(1_000)
	p.expectAsks(1_000, rebirth)
	// A device's messages count with the node's.
	p.gets("spBv1.0/g/NBIRTH/n", nbirthOf(0, p.now, nodeX))
	p.gets("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421702000,"seq":1,"metrics":[`+nodeX+`]}`)
	p.gets("spBv1.0/g/DDATA/n/d", values(2, p.now, 1))
	p.gets("spBv1.0/g/NDATA/n", values(3, p.now, 1))
	p.expectAsks(60_000)
}

func TestSparkplugLateMessageClosesTheGap(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.gets("spBv1.0/g/NDATA/n", values(3, arrived, 3))
	p.gets("spBv1.0/g/NDATA/n", values(1, arrived, 1))
	p.expect("spBv1.0/g/NDATA/n", values(2, arrived, 2), "g/electricity/n received partial x=2")
	p.gets("spBv1.0/g/NDATA/n", values(4, arrived, 4))
	p.expectAsks(60_000)
}

func TestSparkplugSequenceWraps(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	for i := 1; i < 600; i++ {
		p.expect("spBv1.0/g/NDATA/n", values(i%256, arrived, i), fmt.Sprintf("g/electricity/n received partial x=%d", i))
	}
	p.expectAsks(60_000)
}

// A redelivery is decoded again, for vetting to drop, and is no gap.
func TestSparkplugRedelivery(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.gets("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[`+nodeX+`]}`)
	for range 2 {
		for i := 2; i < 7; i++ {
			p.expect("spBv1.0/g/NDATA/n", values(i, arrived, i), fmt.Sprintf("g/electricity/n received partial x=%d", i))
		}
	}
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.expect("spBv1.0/g/DDATA/n/d", values(7, arrived, 7), "g/electricity/d received partial x=7")
	p.expectAsks(60_000)
}

func TestSparkplugAliasReuseAfterRebirth(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(`{"name":"x","alias":1,"dataType":"Int32","value":1},{"name":"y","alias":2,"dataType":"Int32","value":1}`))
	p.gets("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[{"name":"z","alias":3,"dataType":"Int32","value":1}]}`)
	p.expect("spBv1.0/g/NDATA/n", values(2, arrived, 5, 6), "g/electricity/n received partial x=5 y=6")
	p.gets("spBv1.0/g/NBIRTH/n", nbirthOf(0, arrived+1000, `{"name":"y","alias":1,"dataType":"Int32","value":1},{"name":"x","alias":2,"dataType":"Int32","value":1}`))
	p.expect("spBv1.0/g/NDATA/n", values(1, arrived, 5, 6), "g/electricity/n received partial y=5 x=6")
	// The device's birth was of the session before.
	p.expect("spBv1.0/g/DDATA/n/d", `{"timestamp":1795421700000,"seq":2,"metrics":[{"alias":3,"as":"Int32","value":5}]}`, "!no_birth")
	// A straggler of the session before must not be read with the new aliases.
	p.expect("spBv1.0/g/NDATA/n", values(3, arrived, 1), "g/electricity/n received partial y=1")
	p.expect("spBv1.0/g/NDATA/n", values(77, arrived, 1), "!no_birth")
}

func TestSparkplugStaleDeath(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirthOf(7, arrived, nodeX))
	p.gets("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[`+nodeX+`]}`)
	p.expect("spBv1.0/g/NDEATH/n", ndeath(6), "control")
	p.expect("spBv1.0/g/NDATA/n", values(2, arrived, 5), "g/electricity/n received partial x=5")
	got := p.gets("spBv1.0/g/NDEATH/n", ndeath(7))
	for _, want := range []string{"gateway g/n online=false", "stale g/electricity/n", "stale g/electricity/d"} {
		if !strings.Contains(got, want) {
			t.Errorf("death: %s\nlacks %s", got, want)
		}
	}
	if len(p.saved) > 0 {
		t.Errorf("a dead node is remembered: %v", p.saved)
	}
	p.expect("spBv1.0/g/NDEATH/n", ndeath(7), "control")
	p.expectAsks(60_000)
	p.expect("spBv1.0/g/NDATA/n", values(3, arrived, 5), "!no_birth")
	p.expectAsks(0, rebirth)
}

func TestSparkplugDeviceDeath(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.gets("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[{"name":"y","alias":2,"dataType":"Int32","value":1}]}`)
	p.expect("spBv1.0/g/DDEATH/n/d", `{"timestamp":1795421700000,"seq":2}`, "stale g/electricity/d")
	p.expect("spBv1.0/g/NDATA/n", values(3, arrived, 5), "g/electricity/n received partial x=5")
	p.expectAsks(60_000)
	p.expect("spBv1.0/g/DDATA/n/d", `{"timestamp":1795421700000,"seq":4,"metrics":[{"alias":2,"as":"Int32","value":1}]}`, "!no_birth")
	p.expectAsks(0, rebirth)
}

func TestSparkplugBirthsOutOfOrder(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.expect("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700001,"seq":1,"metrics":[`+nodeX+`]}`, "g/electricity/d 1795421700001 x=1")
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.now = arrived + 2
	p.expect("spBv1.0/g/DDATA/n/d", values(2, p.now, 4), "g/electricity/d received partial x=4")
	// Number 1 came before number 0, which nobody can know afterwards.
	p.expectAsks(2_000, rebirth)
}

func TestSparkplugRestart(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirthOf(3, arrived, nodeX))
	p.gets("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[{"name":"Active Power","alias":1,"dataType":"Int32","properties":{"engUnit":{"type":"String","value":"W"}},"value":1}]}`)
	p.gets("spBv1.0/g/NBIRTH/gone", nbirthOf(3, arrived, nodeX))
	p.gets("spBv1.0/g/NDEATH/gone", ndeath(3))
	p.restarts(sparkplugSource)
	p.expect("spBv1.0/g/DDATA/n/d", values(99, arrived, -500), "g/electricity/d received partial active_power_kw=-0.5")
	p.expect("spBv1.0/g/NDATA/n", values(100, arrived, 5), "g/electricity/n received partial x=5")
	p.expect("spBv1.0/g/NDATA/gone", values(100, arrived, 5), "!no_birth")
	// Those that we know are given time to give birth by themselves, and are asked once.
	p.expectAsks(0, "spBv1.0/g/NCMD/gone")
	p.expectAsks(9_999)
	got := p.asks(1)
	slices.Sort(got)
	if want := []string{"spBv1.0/g/NCMD/gone", "spBv1.0/g/NCMD/n"}; !slices.Equal(got, want) {
		t.Errorf("asks %q, want %q", got, want)
	}
	p.expectAsks(9_000)
	p.gets("spBv1.0/g/NBIRTH/n", nbirthOf(3, p.now, nodeX))
	p.expect("spBv1.0/g/NDEATH/n", ndeath(2), "control")
	if got := p.gets("spBv1.0/g/NDEATH/n", ndeath(3)); !strings.Contains(got, "online=false") {
		t.Error(got)
	}
}

// The number of the birth outlives the collector, and so does a death's meaning.
func TestSparkplugDeathAfterRestart(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirthOf(3, arrived, nodeX))
	p.gets("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[`+nodeX+`]}`)
	p.restarts(sparkplugSource)
	p.expect("spBv1.0/g/NDEATH/n", ndeath(2), "control")
	got := strings.Split(p.gets("spBv1.0/g/NDEATH/n", ndeath(3)), "\n")
	slices.Sort(got)
	if want := []string{"gateway g/n online=false", "stale g/electricity/d", "stale g/electricity/n"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSparkplugRestoreOfDamage(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.d = decode.New([]decode.Source{sparkplugSource}, meter.NewCatalog(10))
	for key, value := range p.saved {
		if err := p.d.Restore(key, value[:len(value)-3]); err == nil || !strings.Contains(err.Error(), "bad_protobuf") {
			t.Errorf("restored what is cut short: %v", err)
		}
	}
	p.expect("spBv1.0/g/NDATA/n", values(1, arrived, 5), "!no_birth")
	p.expectAsks(0, rebirth)
	if err := p.d.Restore("sparkplug/plant/spBv1.0/g/NDATA/n", nil); err == nil {
		t.Error("restored data")
	}
	for _, key := range []string{"sparkplug/other/spBv1.0/g/NBIRTH/n", "senml/plant/x"} {
		if err := p.d.Restore(key, []byte("x")); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestSparkplugRebirthRequest(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NDATA/n", values(1, arrived, 5))
	commands := p.d.Commands(arrived, nil)
	if len(commands) != 1 || commands[0].Topic != rebirth {
		t.Fatalf("%v", commands)
	}
	var got pb.Payload
	if err := proto.Unmarshal(commands[0].Payload, &got); err != nil {
		t.Fatal(err)
	}
	m := got.GetMetrics()
	if len(m) != 1 || m[0].GetName() != "Node Control/Rebirth" || !m[0].GetBooleanValue() || m[0].GetDatatype() != uint32(pb.DataType_Boolean) ||
		m[0].GetTimestamp() != arrived || got.GetTimestamp() != arrived || got.Seq != nil {
		t.Errorf("%v", &got)
	}
	// Behind a bridge that puts something before the topic.
	bridged := sparkplugSource
	bridged.Topics = []string{"site/spBv1.0/#"}
	p = newPlant(t, bridged)
	p.gets("site/spBv1.0/g/NDATA/n", values(1, arrived, 5))
	p.expectAsks(0, "site/spBv1.0/g/NCMD/n")
}

func TestSparkplugRebirthIsRateLimited(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	var asked []int64
	for at := int64(0); at < 1_000_000; at += 1_000 {
		p.now = arrived + at
		if p.gets("spBv1.0/g/NDATA/n", values(1, p.now, 5)) != "!no_birth" {
			t.Fatal("decoded")
		}
		if len(p.asks(0)) > 0 {
			asked = append(asked, at/1000)
		}
	}
	if want := []int64{0, 10, 30, 70, 150, 310, 610, 910}; !slices.Equal(asked, want) {
		t.Errorf("asked at %v s, want %v", asked, want)
	}
	// A node that says nothing more is left alone after a while.
	silent := newPlant(t, sparkplugSource)
	silent.gets("spBv1.0/g/NDATA/n", values(1, arrived, 5))
	times := 0
	for range 20_000 {
		times += len(silent.asks(1_000))
	}
	if times != 12 {
		t.Errorf("a silent node was asked %d times", times)
	}
	// All nodes at once.
	many := newPlant(t, sparkplugSource)
	for i := range 95 {
		many.gets(fmt.Sprintf("spBv1.0/g/NDATA/n%d", i), values(1, arrived, 5))
	}
	seen := make(map[string]bool)
	for i := range 10 {
		topics := many.asks(1_000)
		if len(topics) > 10 || len(many.asks(0)) > 0 && len(topics) == 10 {
			t.Fatalf("%d in second %d", len(topics), i)
		}
		for _, topic := range topics {
			seen[topic] = true
		}
	}
	if len(seen) != 95 {
		t.Errorf("%d of 95 asked within 10 s", len(seen))
	}
}

func TestSparkplugMetricOfNoBirth(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
	p.expect("spBv1.0/g/NDATA/n", values(1, arrived, 5, 6), "g/electricity/n received partial x=5")
	p.expectAsks(0, rebirth)
	if n := p.d.Skipped(); n != 1 {
		t.Errorf("%d skipped, want the unknown alias", n)
	}
}

func TestSparkplugRetained(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	kept := func(topic, text string) string {
		return p.take(decode.Message{Topic: topic, Payload: encode(t, text), Received: arrived + 5, Retained: true})
	}
	for _, tt := range []struct{ name, topic, text, want string }{
		{"a birth's values", "spBv1.0/g/NBIRTH/n", nbirth(nodeX), "g/electricity/n 1795421700000 x=1"},
		{"without a time", "spBv1.0/g/DBIRTH/n/d", `{"seq":1,"metrics":[` + nodeX + `]}`, "ignored"},
		{"data", "spBv1.0/g/NDATA/n", values(1, arrived, 5), "ignored"},
		{"a death", "spBv1.0/g/NDEATH/n", ndeath(0), "ignored"},
	} {
		p.now = arrived + 5
		if got := kept(tt.topic, tt.text); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if len(p.saved) > 0 {
		t.Error("a retained birth is remembered")
	}
	p.expect("spBv1.0/g/NDATA/n", values(1, arrived, 5), "!no_birth")
}

func TestSparkplugHostState(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	says := func(topic, text string, retained bool, want ...string) {
		t.Helper()
		if got := p.take(decode.Message{Topic: topic, Payload: []byte(text), Received: p.now, Retained: retained}); got != "control" {
			t.Errorf("%s %s: %s", topic, text, got)
		}
		p.expectAsks(1_000, want...)
	}
	own := decode.HostTopic("imdad")
	says(own, string(decode.HostDeath(1)), false, "announce")
	says(own, string(decode.HostBirth(1)), false)
	says(own, string(decode.HostDeath(1)), true)
	says(own, "OFFLINE", false)
	says("spBv1.0/STATE/other", string(decode.HostDeath(1)), false)
	old := sparkplugSource
	old.Topics = []string{"spBv1.0/#", "STATE/+"}
	p = newPlant(t, old)
	says("STATE/imdad", "OFFLINE", false)
	p = newPlant(t, decode.Source{Name: "x", Topics: []string{"spBv1.0/g/#"}, Profile: "sparkplug-b", Host: "imdad"})
	says(own, string(decode.HostDeath(1)), false, "announce")
}

func TestSparkplugStatePayloads(t *testing.T) {
	t.Parallel()
	if got := string(decode.HostBirth(1795421700000)); got != `{"online":true,"timestamp":1795421700000}` {
		t.Error(got)
	}
	if got := string(decode.HostDeath(1795421700000)); got != `{"online":false,"timestamp":1795421700000}` {
		t.Error(got)
	}
	if got := decode.HostTopic("imdad"); got != "spBv1.0/STATE/imdad" {
		t.Error(got)
	}
}

func TestSparkplugFilters(t *testing.T) {
	t.Parallel()
	s := decode.Source{Name: "x", Topics: []string{"spBv1.0/{zone}/+/#"}, Profile: "sparkplug-b", Host: "imdad"}
	if got := s.Filters(); !slices.Equal(got, []string{"spBv1.0/+/+/#", "spBv1.0/STATE/imdad"}) {
		t.Error(got)
	}
	if s.Host = ""; len(s.Filters()) != 1 {
		t.Error(s.Filters())
	}
}

// A broker that restarts hands out what was read, but not acknowledged in time,
// after the death that it sent before.
func TestSparkplugRedeliveryAfterADeath(t *testing.T) {
	t.Parallel()
	const born = `{"timestamp":1795421700000,"seq":1,"metrics":[{"name":"y","alias":1,"dataType":"Int32","value":2}]}`
	for _, test := range []struct{ name, topic, payload string }{
		{"of the node", "spBv1.0/g/NDEATH/n", ndeath(0)},
		{"of the device", "spBv1.0/g/DDEATH/n/d", fmt.Sprintf(`{"timestamp":%d,"seq":3}`, arrived)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t, sparkplugSource)
			p.gets("spBv1.0/g/NBIRTH/n", nbirth(nodeX))
			p.gets("spBv1.0/g/DBIRTH/n/d", born)
			p.expect("spBv1.0/g/DDATA/n/d", values(2, arrived, 7), "g/electricity/d received partial y=7")
			p.gets(test.topic, test.payload)
			p.expect("spBv1.0/g/DDATA/n/d", values(2, arrived, 7), "control")
			p.expectAsks(20_000)
			p.expect("spBv1.0/g/DDATA/n/d", values(2, arrived, 8), "!no_birth")
		})
	}
}
