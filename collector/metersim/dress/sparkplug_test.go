package dress

import (
	"encoding/hex"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func genset() (*Node, Dress) {
	n := NewNode("z1", "gw-1", []Meter{speaker(Sparkplug, meter.Generator, Generator, 1)})
	return n, n.Device("hall-7")
}

// outline lists what stands in a payload: the fields of the message, and those
// of its metrics in brackets, by their numbers in sparkplug_b.proto.
func outline(t *testing.T, b []byte) string {
	t.Helper()
	var out []string
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatalf("no protobuf: %s", hex.EncodeToString(b))
		}
		b = b[n:]
		text := ""
		switch kind {
		case protowire.VarintType:
			x, _ := protowire.ConsumeVarint(b)
			text = number(float64(x), 0)
		case protowire.BytesType:
			x, _ := protowire.ConsumeBytes(b)
			if field == payloadMetrics {
				text = "[" + outline(t, x) + "]"
			} else {
				text = strings.Map(func(c rune) rune {
					if c < ' ' || c > '~' {
						return '.'
					}
					return c
				}, string(x))
			}
		case protowire.Fixed32Type, protowire.Fixed64Type:
			text = map[protowire.Type]string{protowire.Fixed32Type: "float", protowire.Fixed64Type: "double"}[kind]
		}
		out = append(out, number(float64(field), 0)+"="+text)
		n = protowire.ConsumeFieldValue(field, kind, b)
		if n < 0 {
			t.Fatalf("no protobuf: %s", hex.EncodeToString(b))
		}
		b = b[n:]
	}
	return strings.Join(out, " ")
}

// TestSparkplugSession follows a node through a session and into the next. The
// order of messages and what stands in each is that of the specification's
// chapters 6.4.16 to 6.4.24 (NBIRTH to NDEATH).
func TestSparkplugSession(t *testing.T) {
	t.Parallel()
	n, d := genset()
	if got, want := outline(t, n.Next(ts).Payload), "1=1795421640123 2=[1=bdSeq 4=4 11=0]"; got != want {
		t.Errorf("will %s, want %s", got, want)
	}
	n.Connect()
	births := n.Births(ts)
	if births[0].Topic != "spBv1.0/z1/NBIRTH/gw-1" || births[1].Topic != "spBv1.0/z1/DBIRTH/gw-1/hall-7" {
		t.Errorf("born as %s, %s", births[0].Topic, births[1].Topic)
	}
	nbirth := "1=1795421640123 2=[1=bdSeq 3=1795421640123 4=4 11=0] 2=[1=Node Control/Rebirth 3=1795421640123 4=11 14=0] " +
		"2=[1=Properties/Hardware Make 3=1795421640123 4=12 15=metersim] 3=0"
	if got := outline(t, births[0].Payload); got != nbirth {
		t.Errorf("NBIRTH %s, want %s", got, nbirth)
	}
	if got := outline(t, births[1].Payload); !strings.Contains(got, "2=[1=genset_running 2=1 3=1795421640123 4=11 7=1]") ||
		!strings.Contains(got, "2=[1=genset_active_power_w 2=2 3=1795421640123 4=3 9=..engUnit....B.W 7=1]") || !strings.HasSuffix(got, " 3=1") {
		t.Errorf("DBIRTH before the first reading: %s", got)
	}
	sent := d.Put(Reading{TS: ts + 1000, Values: idleSet})
	if got := outline(t, n.Seal(sent.Messages[0].Payload)); !strings.HasPrefix(got, "1=1795421641123 2=[2=1 3=1795421641123 14=0] 2=[2=2 3=1795421641123 10=0] 2=[2=3 3=1795421641123 13=double]") || !strings.HasSuffix(got, " 3=2") {
		t.Errorf("DDATA by alias: %s", got)
	}
	if v := sent.Values["battery_v"]; v != float64(float32(27.21)) {
		t.Errorf("battery %v; a Float has 24 bits", v)
	}
	n.Turn()
	reborn := outline(t, n.Births(ts + 2000)[1].Payload)
	if !strings.Contains(reborn, "2=[1=genset_running 2=2 3=1795421641123 4=11 14=0]") {
		t.Errorf("another alias, the last value, its own time: %s", reborn)
	}
	if got := outline(t, n.Next(ts).Payload); got != "1=1795421640123 2=[1=bdSeq 4=4 11=1]" {
		t.Errorf("the next will: %s", got)
	}
	n.Connect()
	if got := outline(t, n.Births(ts)[0].Payload); !strings.Contains(got, "2=[1=bdSeq 3=1795421640123 4=4 11=1]") {
		t.Errorf("the next session: %s", got)
	}
	if got := outline(t, n.Death(ts, 1).Payload); got != "1=1795421640123 2=[1=bdSeq 4=4 11=0]" {
		t.Errorf("the stale death: %s", got)
	}
}

// TestSparkplugNumbersWrap: after 255 comes 0.
func TestSparkplugNumbersWrap(t *testing.T) {
	t.Parallel()
	n, _ := genset()
	n.Births(ts)
	n.Skip(253)
	if got := outline(t, n.Seal(nil)) + " " + outline(t, n.Seal(nil)); got != "3=255 3=0" {
		t.Errorf("got %s", got)
	}
}

// TestIsRebirth reads commands.
func TestIsRebirth(t *testing.T) {
	t.Parallel()
	command := func(name string, on float64) []byte {
		return appendMetric(nil, sample{name: name, datatype: typeBoolean, value: on})
	}
	for name, tt := range map[string]struct {
		payload []byte
		want    bool
	}{
		"asked":      {command("Node Control/Rebirth", 1), true},
		"not asked":  {command("Node Control/Rebirth", 0), false},
		"another":    {command("Node Control/Reboot", 1), false},
		"the second": {append(command("Node Control/Reboot", 1), command("Node Control/Rebirth", 1)...), true},
		"broken":     {[]byte{0x12, 0x7f, 0x01}, false},
		"nothing":    {nil, false},
	} {
		if got := IsRebirth(tt.payload); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzIsRebirth(f *testing.F) {
	f.Add(appendMetric(nil, sample{name: "Node Control/Rebirth", datatype: typeBoolean, value: 1}))
	f.Add([]byte{0x12, 0x7f, 0x01})
	f.Fuzz(func(_ *testing.T, b []byte) { IsRebirth(b) })
}
