package decode

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

const sparkplugB = "sparkplug-b"

// sparkplug is the host application of Sparkplug B, specification 3.0.0:
//
//	spBv1.0/GROUP/{NBIRTH,NDATA,NDEATH,NCMD}/NODE           of an edge node
//	spBv1.0/GROUP/{DBIRTH,DDATA,DDEATH,DCMD}/NODE/DEVICE    of a device behind it
//	spBv1.0/STATE/HOST                                      of a host application, ours or another
//
// Payloads are protocol buffers (sparkplugpb). A birth names the metrics, their
// types and units; what follows it may name them by alias alone, and carries
// what has changed. So the births are remembered, across restarts too, and where
// one is missing the node is told to repeat it.
//
// https://sparkplug.eclipse.org/specification/, and its sources
// https://github.com/eclipse-sparkplug/sparkplug/tree/master/specification/src/main/asciidoc/chapters
var sparkplug = format{
	name: sparkplugB, utility: meter.Electricity, device: true, tellsUtility: true, silent: true,
	names: []string{"group", "node"}, zone: "{group}",
	place: sparkplugPlace,
	open:  openSparkplug,
}

// Verbs of topics.
const (
	namespace = "spBv1.0"
	stateVerb = "STATE"

	nodeBirth   = "NBIRTH"
	nodeData    = "NDATA"
	nodeDeath   = "NDEATH"
	nodeCommand = "NCMD"

	deviceBirth   = "DBIRTH"
	deviceData    = "DDATA"
	deviceDeath   = "DDEATH"
	deviceCommand = "DCMD"
)

// edgeTopic is what a topic says.
type edgeTopic struct {
	prefix              string // before the namespace, where a bridge adds one; with its slash
	verb                string
	group, node, device string // device: empty in messages of the node itself
	host                string // of STATE
}

func parseEdgeTopic(levels []string) (edgeTopic, bool) {
	at := slices.Index(levels, namespace)
	if at < 0 {
		// Before 3.0 the topic was STATE/HOST.
		return edgeTopic{verb: stateVerb}, len(levels) == 2 && levels[0] == stateVerb
	}
	t := edgeTopic{prefix: strings.Join(append(slices.Clone(levels[:at]), ""), "/")}
	rest := levels[at+1:]
	if len(rest) == 2 && rest[0] == stateVerb {
		t.verb, t.host = stateVerb, rest[1]
		return t, true
	}
	if len(rest) < 3 || len(rest) > 4 || slices.Contains(rest, "") {
		return t, false
	}
	t.group, t.verb, t.node = rest[0], rest[1], rest[2]
	switch t.verb {
	case nodeBirth, nodeData, nodeDeath, nodeCommand:
		return t, len(rest) == 3
	case deviceBirth, deviceData, deviceDeath, deviceCommand:
		t.device = rest[len(rest)-1]
		return t, len(rest) == 4
	}
	return t, false
}

// with returns the topic of another verb of the same node, or of one of its
// devices.
func (t edgeTopic) with(verb, device string) string {
	topic := t.prefix + namespace + "/" + t.group + "/" + verb + "/" + t.node
	if device != "" {
		topic += "/" + device
	}
	return topic
}

// sparkplugPlace adds group and node to the captures. The node stands for the
// device in its own messages.
func sparkplugPlace(levels []string, captured map[string]string) place {
	t, ok := parseEdgeTopic(levels)
	if !ok {
		return place{reject: &Reject{BadTopic, fmt.Sprintf("topic %q is none of Sparkplug B", clip(strings.Join(levels, "/")))}}
	}
	if t.verb == nodeCommand || t.verb == deviceCommand || t.verb == stateVerb && t.host == "" {
		return place{control: true}
	}
	captured["group"], captured["node"] = t.group, t.node
	return place{device: orElse(t.device, t.node)}
}

// HostTopic is where a host application says that it is online.
func HostTopic(host string) string { return namespace + "/" + stateVerb + "/" + host }

// HostBirth is what it says there, and HostDeath what the broker says when it
// has gone: at is the time of the connection in ms since the epoch, the same in
// both.
func HostBirth(at int64) []byte { return hostState(true, at) }

// HostDeath is the will of a host application; see HostBirth.
func HostDeath(at int64) []byte { return hostState(false, at) }

func hostState(online bool, at int64) []byte {
	b := strconv.AppendBool([]byte(`{"online":`), online)
	b = strconv.AppendInt(append(b, `,"timestamp":`...), at, 10)
	return append(b, '}')
}

var (
	errHostProfile = errors.New("goes with the profile " + sparkplugB)
	errHostID      = errors.New("want 1 to 128 bytes of UTF-8 without + / #")
)

// maxHostID bounds a host application's id, in bytes.
const maxHostID = 128

func checkHost(s Source) error {
	switch {
	case s.Host == "":
		return nil
	case s.Profile != sparkplugB:
		return errHostProfile
	case len(s.Host) > maxHostID || !utf8.ValidString(s.Host) || strings.ContainsAny(s.Host, "+/#\x00"):
		return errHostID
	}
	return nil
}
