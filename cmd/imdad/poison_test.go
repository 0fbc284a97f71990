package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

// poison is a message that must not be stored.
type poison struct {
	name, topic, payload string
	reason               decode.Reason
}

const (
	poisonZone  = "poisoned" // which no simulated meter is in
	poisonTopic = "imdad/v1/" + poisonZone + "/water/m"
	stamp       = `{"ts":1795421700000,`
)

// values makes a payload that is right but for what is inside values.
func values(inside string) string { return stamp + `"values":{` + inside + `}}` }

func nested(open, inside, end string, depth int) string {
	return strings.Repeat(open, depth) + inside + strings.Repeat(end, depth)
}

// manyRegisters is well-formed JSON of at least so many bytes.
func manyRegisters(length int) string {
	var b strings.Builder
	for i := 0; b.Len() < length; i++ {
		fmt.Fprintf(&b, `"r%d":%d,`, i, i)
	}
	return values(strings.TrimSuffix(b.String(), ","))
}

func poisons() []poison {
	long := strings.Repeat("x", 65)
	good := values(`"flow_m3h":1`)
	list := []poison{
		{"empty", poisonTopic, "", decode.Empty},
		{"empty status", "imdad/v1/" + poisonZone + "/gateway/g", "", decode.Empty},

		{"cut in the key", poisonTopic, stamp + `"val`, decode.BadJSON},
		{"cut in a number", poisonTopic, stamp + `"values":{"flow_m3h":1`, decode.BadJSON},
		{"cut before the end", poisonTopic, strings.TrimSuffix(good, "}"), decode.BadJSON},
		{"two in one", poisonTopic, good + good, decode.BadJSON},
		{"no object", poisonTopic, `[` + good + `]`, decode.BadJSON},
		{"a bare number", poisonTopic, `12.5`, decode.BadJSON},
		{"not JSON", poisonTopic, "flow=12.5", decode.BadJSON},
		{"a comma too many", poisonTopic, values(`"flow_m3h":1,`), decode.BadJSON},
		{"line protocol", poisonTopic, "water,meter=m flow_m3h=1 1795421700000", decode.BadJSON},
		{"hexadecimal", poisonTopic, values(`"flow_m3h":0x10`), decode.BadJSON},
		{"a leading zero", poisonTopic, values(`"flow_m3h":012`), decode.BadJSON},

		{"not UTF-8", poisonTopic, "\xff\xfe\x00{", decode.NotUTF8},
		{"half a letter", poisonTopic, values("\"\xd9\":1"), decode.NotUTF8},
		{"a surrogate", poisonTopic, values("\"\xed\xa0\x80\":1"), decode.NotUTF8},

		{"nested in arrays", poisonTopic, stamp + `"x":` + nested("[", "1", "]", 100_000) + "}", decode.TooDeep},
		{"nested in objects", poisonTopic, stamp + `"x":` + nested(`{"x":`, "1", "}", 20_000) + "}", decode.TooDeep},
		{"nested and never closed", poisonTopic, stamp + `"x":` + strings.Repeat("[", 200_000), decode.TooDeep},
		{"nested values", poisonTopic, values(`"flow_m3h":` + nested("[", "1", "]", 100)), decode.TooDeep},

		{"10 MB of registers", poisonTopic, manyRegisters(10_000_000), decode.TooLarge},
		{"10 MB of one letter", poisonTopic, strings.Repeat("a", 10_000_000), decode.TooLarge},
		{"more than quarantine keeps", poisonTopic, strings.Repeat("0123456789abcdef", (17<<20)/16), decode.TooLarge},
		{"too many registers", poisonTopic, manyRegisters(20_000), decode.TooLarge},

		{"NaN", poisonTopic, values(`"flow_m3h":NaN`), decode.NotFinite},
		{"infinite", poisonTopic, values(`"flow_m3h":Infinity`), decode.NotFinite},
		{"minus infinite", poisonTopic, values(`"flow_m3h":-Infinity`), decode.NotFinite},
		{"1e400", poisonTopic, values(`"flow_m3h":1e400`), decode.NotFinite},
		{"-1e400", poisonTopic, values(`"flow_m3h":1,"pressure_bar":-1e400`), decode.NotFinite},

		{"a string for a number", poisonTopic, values(`"flow_m3h":"12.5"`), decode.BadValue},
		{"null for a number", poisonTopic, values(`"flow_m3h":null`), decode.BadValue},
		{"an object for a number", poisonTopic, values(`"flow_m3h":{"v":1}`), decode.BadValue},
		{"values in a list", poisonTopic, stamp + `"values":[1,2]}`, decode.BadValue},
		{"a string for seq", poisonTopic, stamp + `"seq":"1","values":{"flow_m3h":1}}`, decode.BadValue},
		{"an unknown quality", poisonTopic, stamp + `"quality":"superb","values":{"flow_m3h":1}}`, decode.BadValue},
		{"an unknown status", "imdad/v1/" + poisonZone + "/gateway/g", "perhaps", decode.BadValue},

		{"no time", poisonTopic, `{"values":{"flow_m3h":1}}`, decode.NoTime},
		{"null for a time", poisonTopic, `{"ts":null,"values":{"flow_m3h":1}}`, decode.NoTime},
		{"a time without zone", poisonTopic, `{"ts":"2026-11-23T08:15:00","values":{"flow_m3h":1}}`, decode.NoTime},
		{"a time in words", poisonTopic, `{"ts":"yesterday","values":{"flow_m3h":1}}`, decode.NoTime},
		{"no values", poisonTopic, `{"ts":1795421700000}`, decode.NoValues},
		{"empty values", poisonTopic, values(""), decode.NoValues},

		{"no meter", "imdad/v1/" + poisonZone + "/water", good, decode.BadTopic},
		{"one level too deep", poisonTopic + "/x", good, decode.BadTopic},
		{"only the root", "imdad/v1", good, decode.BadTopic},
		{"an empty level", "imdad/v1/" + poisonZone + "//m", good, decode.BadTopic},
		{"an unknown utility", "imdad/v1/" + poisonZone + "/steam/m", good, decode.BadTopic},

		{"tags in the zone", "imdad/v1/" + poisonZone + ",city=x/water/m", good, decode.BadName},
		{"fields in the meter", poisonTopic + " flow_m3h=9 1", good, decode.BadName},
		{"quotes in the meter", poisonTopic + `"`, good, decode.BadName},
		{"a backslash in the meter", poisonTopic + `\`, good, decode.BadName},
		{"an equals sign in the zone", "imdad/v1/" + poisonZone + "=/water/m", good, decode.BadName},
		{"a line separator in the meter", poisonTopic + "\u2028water", good, decode.BadName},
		{"Arabic in the meter", poisonTopic + "عداد", good, decode.BadName},
		{"an empty meter", "imdad/v1/" + poisonZone + "/water/", good, decode.BadName},
		{"a meter's name too long", "imdad/v1/" + poisonZone + "/water/" + long, good, decode.BadName},
		{"fields in a register", poisonTopic, values(`"flow_m3h=1,x":1`), decode.BadName},
		{"a space in a register", poisonTopic, values(`"flow m3h":1`), decode.BadName},
		{"a line in a register", poisonTopic, values(`"a\nwater,meter=m2 x":1`), decode.BadName},
		{"a control character in a register", poisonTopic, values(`"a\u0001":1`), decode.BadName},
		{"a zero in a register", poisonTopic, values(`"a\u0000":1`), decode.BadName},
		{"a raw control character", poisonTopic, values("\"a\x01\":1"), decode.BadJSON},
		{"a capital in a register", poisonTopic, values(`"Flow":1`), decode.BadName},
		{"a register's name too long", poisonTopic, values(`"` + long + `":1`), decode.BadName},
		{"a register without a name", poisonTopic, values(`"":1`), decode.BadName},

		{"a register twice", poisonTopic, values(`"flow_m3h":1,"flow_m3h":2`), decode.DuplicateKey},
		{"a register twice, once escaped", poisonTopic, values(`"flow_m3h":1,"flow_m3\u0068":2`), decode.DuplicateKey},
		{"ts twice", poisonTopic, stamp + `"ts":1795421700001,"values":{"flow_m3h":1}}`, decode.DuplicateKey},
		{"values twice", poisonTopic, stamp + `"values":{"flow_m3h":1},"values":{"pressure_bar":2}}`, decode.DuplicateKey},
	}
	for _, name := range []string{"time", "quality", "reason", "seq", "device_time_ms", "city", "zone", "meter", "feeder", "plant", "site"} {
		list = append(list, poison{"reserved: " + name, poisonTopic, values(`"` + name + `":1`), decode.BadName})
	}
	return list
}

// An absurd time is no poison: the reading is stored when it came, and marked.
var absurdTimes = []struct {
	meter, ts string
	device    int64 // ms
}{
	{"epoch", "0", 0},
	{"y1970", `"1970-01-01T00:00:01Z"`, 1000},
	{"y9999", `"9999-12-31T23:59:59Z"`, 253402300799000},
	{"ahead", "4102444800000", 4102444800000},
	{"huge", "1e300", math.MaxInt64},
	{"before", "-1e300", math.MinInt64},
}

// TestPoison publishes every kind of poison into a stream of readings, all of
// which must arrive.
func TestPoison(t *testing.T) {
	c := newCity(t)
	c.start()
	p := c.publisher("poisoner")
	s := c.publish(e2eLeast)
	list := poisons()
	// The largest ones apart, so that each has the queue to itself.
	rand.New(rand.NewPCG(7, 7)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for i, m := range list {
		s.reach(int64(i) * e2eLeast / int64(len(list)))
		p.send(m.topic, m.payload)
	}
	for _, a := range absurdTimes {
		p.send("imdad/v1/"+poisonZone+"/water/"+a.meter, `{"ts":`+a.ts+`,"values":{"flow_m3h":1}}`)
	}
	p.wait()
	s.wait()
	c.waitLedger("every message to be dealt with", func(l ledger) bool {
		return l["readings_spooled"] == e2eLeast+int64(len(absurdTimes)) && l["lines_pending"] == 0 &&
			l["messages_quarantined"] >= int64(len(list)) && l["messages_in_flight"] == 0
	})

	c.checkEntries(list)
	c.checkAbsurd()
	rows := c.rows()
	for id := range rows {
		if id.zone == poisonZone {
			delete(rows, id)
		}
	}
	c.compare(rows, allowance{})
	l, err := c.ledger()
	c.must("read the ledger", err)
	if _, page, err := c.get("/metrics"); err != nil || !strings.Contains(page, "\nimdad_mqtt_overflows_total{session=\"imdad\"} 0\n") {
		t.Errorf("the stream was interrupted (%v)", err)
	}
	// One that the broker has sent twice is in quarantine twice.
	twice := l["messages_quarantined"] - int64(len(list))
	if problems := l.problems(); len(problems) > 0 || l["quarantine_entries"] != l["messages_quarantined"] || twice > l["messages_abandoned"] {
		t.Errorf("%v: %v", l, problems)
	}
}

// checkEntries holds the quarantine against what was published.
func (c *city) checkEntries(list []poison) {
	c.t.Helper()
	entries := c.entries()
	for _, e := range entries {
		if !slices.ContainsFunc(list, func(m poison) bool { return m.topic == e.Topic && int64(len(m.payload)) == e.Size }) {
			c.t.Errorf("entry %d, %s %q on %q, is none that was published", e.ID, e.Reason, e.Detail, e.Topic)
		}
	}
	for _, m := range list {
		sum := sha256.Sum256([]byte(m.payload))
		i := slices.IndexFunc(entries, func(e spool.Entry) bool {
			if e.Truncated() {
				return e.Topic == m.topic && bytes.Equal(e.SHA256, sum[:])
			}
			return e.Topic == m.topic && string(e.Payload) == m.payload
		})
		if i < 0 {
			c.t.Errorf("%s: not in quarantine", m.name)
			continue
		}
		e := entries[i]
		if e.Reason != string(m.reason) || e.Kind != spool.KindMessage || e.QoS != 1 || e.Detail == "" {
			c.t.Errorf("%s: %s %q, detail %q, QoS %d; want reason %q", m.name, e.Kind, e.Reason, e.Detail, e.QoS, m.reason)
		}
		kept := len(m.payload)
		if kept > 16<<20 {
			kept = 64 << 10
		}
		if string(e.Payload) != m.payload[:kept] || e.Size != int64(len(m.payload)) || e.Truncated() != (kept < len(m.payload)) {
			c.t.Errorf("%s: %d of %d bytes are kept; want %d of %d", m.name, len(e.Payload), e.Size, kept, len(m.payload))
		}
	}
}

func (c *city) checkAbsurd() {
	c.t.Helper()
	found := make(map[string]bool)
	query := fmt.Sprintf("SELECT quality, device_time_ms FROM water WHERE zone = '%s' GROUP BY meter", poisonZone)
	c.must(query, c.query(query, func(s series) error {
		found[s.Tags["meter"]] = true
		for _, a := range absurdTimes {
			if a.meter != s.Tags["meter"] {
				continue
			}
			if len(s.Values) != 1 {
				return fmt.Errorf("%s: %d rows", a.meter, len(s.Values))
			}
			at, quality, device := time.UnixMilli(int64(*s.Values[0][0])), *s.Values[0][1], *s.Values[0][2]
			if quality != float64(meter.ClockInvalid) || device != float64(a.device) || time.Since(at).Abs() > time.Hour {
				c.t.Errorf("%s: stored at %v with quality %v and device time %v; want now, %d, %d", a.meter, at, quality, device, meter.ClockInvalid, a.device)
			}
		}
		return nil
	}))
	if len(found) != len(absurdTimes) {
		c.t.Errorf("stored with an absurd time: %v, want %d", found, len(absurdTimes))
	}
}

// entries returns the quarantine with its payloads, oldest first, beside the
// running collector.
func (c *city) entries() []spool.Entry {
	c.t.Helper()
	s, err := spool.Attach(c.t.Context(), spool.Options{
		Dir: c.config.DataDir, Config: c.config.Spool, Quarantine: c.config.Quarantine, Log: zerolog.Nop(),
	})
	c.must("attach to the spool", err)
	defer func() { c.must("close the spool", s.Close()) }()
	var all []spool.Entry
	c.must("read the quarantine", quarantineFilter{}.each(c.t.Context(), s, func(e spool.Entry) error {
		e, err := s.Get(c.t.Context(), e.ID)
		all = append(all, e)
		return err
	}))
	return all
}

// publisher is an MQTT client that publishes with QoS 1 and does not wait
// until it is told to.
type publisher struct {
	c      *city
	client paho.Client
	tokens []paho.Token
}

func (c *city) publisher(id string) *publisher {
	c.t.Helper()
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + c.broker.Addr()).SetClientID(id).
		SetMessageChannelDepth(1000).SetMaxResumePubInFlight(1000))
	c.await(client.Connect())
	c.t.Cleanup(func() { client.Disconnect(100) })
	return &publisher{c: c, client: client}
}

func (p *publisher) send(topic, payload string) {
	p.tokens = append(p.tokens, p.client.Publish(topic, 1, false, payload))
}

// wait waits until the broker has acknowledged everything.
func (p *publisher) wait() {
	p.c.t.Helper()
	for _, token := range p.tokens {
		p.c.await(token)
	}
	p.tokens = p.tokens[:0]
}

func (c *city) await(token paho.Token) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), settleWithin)
	defer cancel()
	select {
	case <-token.Done():
		c.must("publish", token.Error())
	case <-ctx.Done():
		c.t.Fatal("the broker does not answer")
	}
}
