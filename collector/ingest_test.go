package collector

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// ingesting is a collector with only the stages that take needs.
func ingesting(registry *zone.Registry, sources []decode.Source, meters int) *Collector {
	now := func() time.Time { return noon }
	c := &Collector{now: now, live: live.New(registry, now)}
	c.registry.Store(registry)
	c.stream = NewStream(sources, meter.NewCatalog(meters), registry, c.live)
	c.stream.seen = newSightings()
	c.stream.seen.use(registry)
	c.keeper.collector = c
	c.encoder.use(registry)
	return c
}

// takeAll puts messages into a batch, all received at noon.
func takeAll(c *Collector, messages ...mqtt.Message) *batch {
	b := &batch{}
	b.reset()
	for i := range messages {
		messages[i].Received = noon.UnixMilli()
		c.take(b, &messages[i])
	}
	return b
}

const topic = "imdad/v1/z/water/w1"

// reading is a message of w1, so many milliseconds after noon.
func reading(ms int64, flow string) mqtt.Message {
	payload := fmt.Sprintf(`{"ts":%d,"values":{"flow_m3h":%s}}`, noon.UnixMilli()+ms, flow)
	return mqtt.Message{Topic: topic, Payload: []byte(payload), QoS: 1}
}

func retained(m mqtt.Message) mqtt.Message {
	m.Retained = true
	return m
}

func TestEveryMessageHasOneResult(t *testing.T) {
	t.Parallel()
	stopped := mqtt.Message{Topic: topic, Payload: []byte(`{"ts":0,"values":{"flow_m3h":1}}`), QoS: 1}
	timeless := mqtt.Message{Topic: topic, Payload: []byte(`{"values":{"flow_m3h":1}}`), QoS: 1}
	const prefix = "water,city=c,meter=w1,zone=z flow_m3h="
	at := fmt.Sprint(noon.UnixMilli())
	tests := []struct {
		name     string
		messages []mqtt.Message
		ledger   spool.Ledger
		lines    string
		reason   string // of the last entry in quarantine
	}{
		{name: "nothing"},
		{
			"a reading", []mqtt.Message{reading(0, "1.5")},
			spool.Ledger{MessagesDecoded: 1, ReadingsDecoded: 1, ReadingsSpooled: 1},
			prefix + "1.5,quality=0i " + at + "\n", "",
		},
		{
			"the same twice", []mqtt.Message{reading(0, "1"), reading(0, "1")},
			spool.Ledger{MessagesDecoded: 2, ReadingsDecoded: 2, ReadingsSpooled: 1, ReadingsDuplicate: 1},
			prefix + "1,quality=0i " + at + "\n", "",
		},
		{
			"another value for the same time", []mqtt.Message{reading(0, "1"), reading(0, "2")},
			spool.Ledger{MessagesDecoded: 2, ReadingsDecoded: 2, ReadingsSpooled: 2, ReadingsConflicting: 1},
			prefix + "1,quality=0i " + at + "\n" + prefix + "2,quality=0i " + at + "\n", "",
		},
		{
			"a clock that stands still", []mqtt.Message{stopped, stopped},
			spool.Ledger{MessagesDecoded: 2, ReadingsDecoded: 2, ReadingsSpooled: 2},
			prefix + "1,quality=4i,device_time_ms=0i " + at + "\n" +
				prefix + "1,quality=4i,device_time_ms=0i " + fmt.Sprint(noon.UnixMilli()+1) + "\n", "",
		},
		{
			"retained, with a time", []mqtt.Message{retained(reading(-1, "1"))},
			spool.Ledger{MessagesDecoded: 1, ReadingsDecoded: 1, ReadingsSpooled: 1},
			prefix + "1,quality=0i " + fmt.Sprint(noon.UnixMilli()-1) + "\n", "",
		},
		{
			"retained, with a time nobody believes", []mqtt.Message{retained(stopped)},
			spool.Ledger{MessagesIgnored: 1}, "", "",
		},
		{"retained, without a time", []mqtt.Message{retained(timeless)}, spool.Ledger{MessagesIgnored: 1}, "", ""},
		{"without a time", []mqtt.Message{timeless}, spool.Ledger{MessagesQuarantined: 1}, "", "no_time"},
		{
			"a gateway", []mqtt.Message{{Topic: "imdad/v1/z/gateway/g", Payload: []byte("online"), Retained: true}},
			spool.Ledger{MessagesControl: 1}, "", "",
		},
		{
			"poison between readings", []mqtt.Message{reading(0, "1"), {Topic: topic, Payload: []byte("{")}, reading(1, "NaN"), reading(2, "2")},
			spool.Ledger{MessagesDecoded: 2, MessagesQuarantined: 2, ReadingsDecoded: 2, ReadingsSpooled: 2},
			prefix + "1,quality=0i " + at + "\n" + prefix + "2,quality=0i " + fmt.Sprint(noon.UnixMilli()+2) + "\n", "not_finite",
		},
		{
			"a topic that nobody reads", []mqtt.Message{{Topic: "elsewhere", Payload: []byte("{}")}},
			spool.Ledger{MessagesQuarantined: 1}, "", "no_source",
		},
		{
			"more meters than there is room for",
			[]mqtt.Message{reading(0, "1"), {Topic: "imdad/v1/z/water/w2", Payload: reading(0, "1").Payload}, {Topic: "imdad/v1/z/water/w3", Payload: reading(0, "1").Payload}},
			spool.Ledger{MessagesDecoded: 2, MessagesQuarantined: 1, ReadingsDecoded: 2, ReadingsSpooled: 2},
			prefix + "1,quality=0i " + at + "\n" + strings.Replace(prefix, "w1", "w2", 1) + "1,quality=0i " + at + "\n", "too_many_meters",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := takeAll(ingesting(registryOf(t, "c", "z"), native, 2), tt.messages...)
			if b.Ledger != tt.ledger {
				t.Errorf("ledger\n%+v\nwant\n%+v", b.Ledger, tt.ledger)
			}
			if string(b.Lines) != tt.lines {
				t.Errorf("lines\n%s\nwant\n%s", b.Lines, tt.lines)
			}
			if int64(len(b.Quarantine)) != tt.ledger.MessagesQuarantined {
				t.Fatalf("%d entries for quarantine, want %d", len(b.Quarantine), tt.ledger.MessagesQuarantined)
			}
			if n := len(b.Quarantine); n > 0 && b.Quarantine[n-1].Reason != tt.reason {
				t.Errorf("reason %q, want %q", b.Quarantine[n-1].Reason, tt.reason)
			}
		})
	}
}

// What is quarantined is the message as it came.
func TestAnEntryIsTheWholeMessage(t *testing.T) {
	t.Parallel()
	m := mqtt.Message{Topic: topic, Payload: []byte("\xff\x00"), QoS: 1, Retained: true}
	b := takeAll(ingesting(registryOf(t, "c", "z"), native, 2), m)
	got := b.Quarantine[0]
	got.Detail = ""
	want := fmt.Sprintf("%+v", spool.Entry{
		Kind: spool.KindMessage, Topic: topic, Payload: m.Payload, QoS: 1, Retained: true, Received: noon.UnixMilli(), Reason: "not_utf8",
	})
	if fmt.Sprintf("%+v", got) != want {
		t.Errorf("got  %+v\nwant %s", got, want)
	}
	if b.payload != 2 {
		t.Errorf("%d bytes are held against the batch's bound, want 2", b.payload)
	}
}

// A new registry counts from the next reading on.
func TestACityChanges(t *testing.T) {
	t.Parallel()
	c := ingesting(registryOf(t, "aleppo", "z"), native, 2)
	var lines string
	for i, r := range []*zone.Registry{c.encoder.registry, registryOf(t, "homs", "z"), registryOf(t, "homs", "other")} {
		c.encoder.use(r)
		lines += string(takeAll(c, reading(int64(i), "1")).Lines)
	}
	for i, city := range []string{"aleppo", "homs", "unregistered"} {
		if line := strings.Split(lines, "\n")[i]; !strings.HasPrefix(line, "water,city="+city+",meter=w1,zone=z ") {
			t.Errorf("reading %d: %s, want city %s", i, line, city)
		}
	}
}

// Whatever arrives in whatever order, the books of a batch balance.
func TestTheLedgerOfABatchBalances(t *testing.T) {
	t.Parallel()
	registry := registryOf(t, "c", "z")
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.Custom(func(t *rapid.T) mqtt.Message {
			m := reading(rapid.Int64Range(-2, 2).Draw(t, "ms"), rapid.SampledFrom([]string{"1", "2", "1e400", `"x"`}).Draw(t, "flow"))
			m.Topic = rapid.SampledFrom([]string{topic, "imdad/v1/z/water/w2", "imdad/v1/z/water/w3", "imdad/v1/z/gateway/g", "x"}).Draw(t, "topic")
			m.Retained = rapid.Bool().Draw(t, "retained")
			m.Payload = m.Payload[:rapid.SampledFrom([]int{0, 10, len(m.Payload)}).Draw(t, "length")]
			return m
		})
		messages := rapid.SliceOf(message).Draw(t, "messages")
		b := takeAll(ingesting(registry, native, 2), messages...)
		l := b.Ledger
		if sum := l.MessagesDecoded + l.MessagesQuarantined + l.MessagesControl + l.MessagesIgnored; sum != int64(len(messages)) {
			t.Fatalf("%d results for %d messages: %+v", sum, len(messages), l)
		}
		if l.ReadingsDecoded != l.ReadingsSpooled+l.ReadingsDuplicate+l.ReadingsQuarantined {
			t.Fatalf("readings do not balance: %+v", l)
		}
		if n := bytes.Count(b.Lines, []byte("\n")); n != b.LineCount || int64(n) != l.ReadingsSpooled {
			t.Fatalf("%d lines, counted as %d, of %d readings", n, b.LineCount, l.ReadingsSpooled)
		}
		if n := len(b.Fingerprints); n != b.LineCount*vet.PrintSize {
			t.Fatalf("%d bytes of fingerprints for %d lines", n, b.LineCount)
		}
		if int64(len(b.Quarantine)) != l.MessagesQuarantined {
			t.Fatalf("%d entries for %d messages", len(b.Quarantine), l.MessagesQuarantined)
		}
	})
}

// The steady state must not allocate for each message.
func BenchmarkTake(b *testing.B) {
	registry, err := zone.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	c := ingesting(registry, native, 10)
	payload := []byte(`{"ts":1795435200123,"seq":4711,"values":{"active_power_kw":431.2,"reactive_power_kvar":120.5,"energy_import_kwh":1283445.75,"voltage_l1_v":229.8,"current_l1_a":612.4,"frequency_hz":49.98,"power_factor":0.92}}`)
	m := mqtt.Message{Topic: "imdad/v1/z/electricity/e1", Received: noon.UnixMilli()}
	filling := &batch{}
	filling.reset()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Received = noon.UnixMilli() + int64(i)
		strconv.AppendInt(payload[:6], m.Received, 10) // as many digits each time
		m.Payload = payload
		c.take(filling, &m)
		if filling.full() {
			filling.reset()
		}
	}
}
