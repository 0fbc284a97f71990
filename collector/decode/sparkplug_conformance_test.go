package decode_test

import (
	"os"
	"strings"
	"testing"
)

// requirement is one of the specification, Sparkplug 3.0.0, on host applications.
type requirement struct {
	id   string
	says string
	// One of these: the test that shows it, another package's test that does, or
	// why there is none.
	shown func(*testing.T)
	where string
	why   string
}

const (
	oneConnection = "TestPresenceOfOneConnection"
	ownTime       = "TestEachAttemptHasItsOwnTime"
	atABroker     = "TestPresenceAtABroker"

	noCommands = "not applicable: the one command sent is that for a rebirth, at the level of the node"
)

// hostRequirements are those of the chapter on conformance (10.1.2, host
// application) and all others that name the host: topics (4), operational
// behaviour (5) and payloads (6). The chapters and their ids:
// https://github.com/eclipse-sparkplug/sparkplug/tree/master/specification/src/main/asciidoc/chapters,
// as listed in tck/src/main/java/org/eclipse/sparkplug/tck/test/common/Requirements.java there.
var hostRequirements = []requirement{
	// 10 Conformance, 1 Introduction, 3 Components
	{id: "conformance-primary-host", says: "publishes STATE as its birth and its death", where: oneConnection},
	{id: "intro-sparkplug-host-state", says: "publishes STATE to be a host application", where: oneConnection},
	{id: "components-ph-state", says: "a primary host publishes its STATE", where: oneConnection},

	// 4 Topics: case
	{id: "case-sensitivity-sparkplug-ids", says: "ids that differ in case are two", shown: testSparkplugCase},
	{id: "case-sensitivity-metric-names", says: "metrics whose names differ in case are two", shown: testSparkplugCase},

	// 4 Topics
	{id: "host-topic-phid-birth-message", says: "the first thing it publishes is its birth", where: oneConnection},
	{id: "host-topic-phid-birth-qos", says: "the birth has QoS 1", where: oneConnection},
	{id: "host-topic-phid-birth-retain", says: "the birth is retained", where: oneConnection},
	{id: "host-topic-phid-birth-topic", says: "its topic is spBv1.0/STATE/host", shown: TestSparkplugStatePayloads},
	{id: "host-topic-phid-birth-sub-required", says: "subscribes to spBv1.0 and to its own STATE before", shown: TestSparkplugFilters},
	{id: "host-topic-phid-birth-required", says: "publishes the birth right after subscribing", where: oneConnection},
	{id: "host-topic-phid-birth-payload", says: "the payload is JSON with online true and a timestamp", shown: TestSparkplugStatePayloads},
	{id: "host-topic-phid-birth-payload-timestamp", says: "the timestamp is that of the will", where: oneConnection},
	{id: "host-topic-phid-death-qos", says: "the will has QoS 1", where: oneConnection},
	{id: "host-topic-phid-death-retain", says: "the will is retained", where: oneConnection},
	{id: "host-topic-phid-death-topic", says: "its topic is spBv1.0/STATE/host", shown: TestSparkplugStatePayloads},
	{id: "host-topic-phid-death-required", says: "there is a will in CONNECT", where: oneConnection},
	{id: "host-topic-phid-death-payload", says: "the payload is JSON with online false and a timestamp", shown: TestSparkplugStatePayloads},
	{id: "host-topic-phid-death-payload-timestamp-connect", says: "the will has the time of its CONNECT", where: ownTime},
	{id: "host-topic-phid-death-payload-timestamp-disconnect-clean", says: "a clean end says offline itself", where: oneConnection},
	{id: "host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet", says: "an end without DISCONNECT says offline with a time", where: atABroker},

	// 5 Operational behaviour: session
	{id: "message-flow-phid-sparkplug-clean-session-311", says: "CONNECT sets Clean Session",
		why: "not done: the session is one for all sources and persistent, because nothing that the broker took at QoS 1 may be lost; what Sparkplug wants by it, no state from an old session, the sequence numbers and the births give"},
	{id: "message-flow-phid-sparkplug-clean-session-50", says: "the same with MQTT 5", why: "not applicable: MQTT 3.1.1 is spoken"},
	{id: "message-flow-phid-sparkplug-subscription", says: "subscribes first, then publishes STATE", where: oneConnection},
	{id: "message-flow-phid-sparkplug-state-publish", says: "publishes STATE once it is connected and subscribed", where: oneConnection},
	{id: "message-flow-phid-sparkplug-state-publish-payload", says: "as JSON with online true and a timestamp", shown: TestSparkplugStatePayloads},
	{id: "message-flow-phid-sparkplug-state-publish-payload-timestamp", says: "with the time of the will", where: oneConnection},
	{id: "message-flow-hid-sparkplug-state-message-delivered", says: "told that it is offline, it says at once that it is not", shown: TestSparkplugHostState},
	{id: "(5.1, without an id)", says: "what it knows of nodes is stale when it loses the broker",
		why: "not done as such: without messages every meter becomes unknown by its own interval, and the loss of the broker is an alarm of its own"},
	{id: "operational-behavior-edge-node-termination-host-action-ndeath-node-offline", says: "NDEATH: the node is offline", shown: TestSparkplugStaleDeath},
	{id: "operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale", says: "NDEATH: its values are stale", shown: TestSparkplugStaleDeath},
	{id: "operational-behavior-edge-node-termination-host-action-ndeath-devices-offline", says: "NDEATH: its devices are offline", shown: TestSparkplugStaleDeath},
	{id: "operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale", says: "NDEATH: their values are stale", shown: TestSparkplugDeathAfterRestart},
	{id: "operational-behavior-edge-node-termination-host-action-ddeath-devices-offline", says: "DDEATH: the device is offline", shown: TestSparkplugDeviceDeath},
	{id: "operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale", says: "DDEATH: its values are stale", shown: TestSparkplugDeviceDeath},

	// 5 Operational behaviour: order
	{id: "operational-behavior-host-reordering-param", says: "should let the reorder timeout be configured",
		why: "not done: nothing is held back for it, so it only delays a request; it is 2 s"},
	{id: "operational-behavior-host-reordering-start", says: "a gap starts the reorder timeout", shown: TestSparkplugSequenceGap},
	{id: "operational-behavior-host-reordering-rebirth", says: "at its end, a rebirth is asked for", shown: TestSparkplugSequenceGap},
	{id: "operational-behavior-host-reordering-success", says: "what was missing and comes in time ends it", shown: TestSparkplugLateMessageClosesTheGap},

	// 5 Operational behaviour: host application
	{id: "operational-behavior-primary-application-state-with-multiple-servers-state-subs", says: "with several servers, publishes STATE on each",
		why: "not applicable: of several brokers it is connected to one at a time"},
	{id: "operational-behavior-primary-application-state-with-multiple-servers-state", says: "with each new session STATE is published first", where: atABroker},
	{id: "operational-behavior-host-application-host-id", says: "the host's id is its alone", why: "not testable here: who gives two services one id has the brokers' wills against each other; the page says what the id is"},
	{id: "operational-behavior-host-application-connect-will", says: "CONNECT has a will", where: oneConnection},
	{id: "operational-behavior-host-application-connect-will-topic", says: "on spBv1.0/STATE/host", shown: TestSparkplugStatePayloads},
	{id: "operational-behavior-host-application-connect-will-payload", says: "as JSON with online false and a timestamp", shown: TestSparkplugStatePayloads},
	{id: "operational-behavior-host-application-connect-will-qos", says: "with QoS 1", where: oneConnection},
	{id: "operational-behavior-host-application-connect-will-retained", says: "retained", where: oneConnection},
	{id: "operational-behavior-host-application-connect-birth", says: "a birth follows the connection", where: oneConnection},
	{id: "operational-behavior-host-application-connect-birth-topic", says: "on spBv1.0/STATE/host", shown: TestSparkplugStatePayloads},
	{id: "operational-behavior-host-application-connect-birth-payload", says: "as JSON with online true and a timestamp", shown: TestSparkplugStatePayloads},
	{id: "operational-behavior-host-application-connect-birth-qos", says: "with QoS 1", where: oneConnection},
	{id: "operational-behavior-host-application-connect-birth-retained", says: "retained", where: oneConnection},
	{id: "operational-behavior-host-application-multi-server-timestamp", says: "each server's connection has a time of its own", where: ownTime},
	{id: "operational-behavior-host-application-termination", says: "says that it goes, before it goes", where: oneConnection},
	{id: "operational-behavior-host-application-death-topic", says: "on spBv1.0/STATE/host", shown: TestSparkplugStatePayloads},
	{id: "operational-behavior-host-application-death-payload", says: "as JSON with online false and a timestamp", shown: TestSparkplugStatePayloads},
	{id: "operational-behavior-host-application-death-qos", says: "with QoS 1", where: oneConnection},
	{id: "operational-behavior-host-application-death-retained", says: "retained", where: oneConnection},
	{id: "operational-behavior-host-application-disconnect-intentional", says: "and then it may send DISCONNECT", where: oneConnection},

	// 5 Operational behaviour: commands
	{id: "operational-behavior-data-commands-ncmd-rebirth-verb", says: "a rebirth request is an NCMD", shown: TestSparkplugRebirthRequest},
	{id: "operational-behavior-data-commands-ncmd-rebirth-name", says: "its metric is Node Control/Rebirth", shown: TestSparkplugRebirthRequest},
	{id: "operational-behavior-data-commands-ncmd-rebirth-value", says: "its value is true", shown: TestSparkplugRebirthRequest},
	{id: "operational-behavior-data-commands-ncmd-verb", says: "a command to a node is an NCMD", shown: TestSparkplugRebirthRequest},
	{id: "operational-behavior-data-commands-ncmd-metric-name", says: "its metric is one of the NBIRTH", shown: TestSparkplugRebirthRequest},
	{id: "operational-behavior-data-commands-ncmd-metric-value", says: "its value is of the metric's type", shown: TestSparkplugRebirthRequest},
	{id: "operational-behavior-data-commands-dcmd-verb", says: "a command to a device is a DCMD", why: noCommands},
	{id: "operational-behavior-data-commands-dcmd-metric-name", says: "its metric is one of the DBIRTH", why: noCommands},
	{id: "operational-behavior-data-commands-dcmd-metric-value", says: "its value is of the metric's type", why: noCommands},

	// 6 Payloads
	{id: "payloads-ncmd-timestamp", says: "NCMD has a timestamp", shown: TestSparkplugRebirthRequest},
	{id: "payloads-ncmd-seq", says: "NCMD has no sequence number", shown: TestSparkplugRebirthRequest},
	{id: "payloads-ncmd-qos", says: "NCMD has QoS 0", where: oneConnection},
	{id: "payloads-ncmd-retain", says: "NCMD is not retained", where: oneConnection},
	{id: "payloads-dcmd-timestamp", says: "DCMD has a timestamp", why: noCommands},
	{id: "payloads-dcmd-seq", says: "DCMD has no sequence number", why: noCommands},
	{id: "payloads-dcmd-qos", says: "DCMD has QoS 0", why: noCommands},
	{id: "payloads-dcmd-retain", says: "DCMD is not retained", why: noCommands},
	{id: "payloads-state-will-message", says: "the will is on spBv1.0/STATE/host", shown: TestSparkplugStatePayloads},
	{id: "payloads-state-will-message-qos", says: "with QoS 1", where: oneConnection},
	{id: "payloads-state-will-message-retain", says: "retained", where: oneConnection},
	{id: "payloads-state-will-message-payload", says: "as JSON with online false and a timestamp", shown: TestSparkplugStatePayloads},
	{id: "payloads-state-subscribe", says: "subscribes to its own STATE", shown: TestSparkplugFilters},
	{id: "payloads-state-birth", says: "and then publishes STATE with QoS 1, retained", where: oneConnection},
	{id: "payloads-state-birth-payload", says: "as JSON with online true and a timestamp", shown: TestSparkplugStatePayloads},
}

func TestSparkplugConformance(t *testing.T) {
	t.Parallel()
	const elsewhere = "../mqtt/presence_test.go"
	tests, err := os.ReadFile(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, r := range hostRequirements {
		t.Run(r.id, func(t *testing.T) {
			answers := 0
			for _, given := range []bool{r.shown != nil, r.where != "", r.why != ""} {
				if given {
					answers++
				}
			}
			if answers != 1 || r.says == "" || seen[r.id] {
				t.Errorf("%d answers, or none of its own", answers)
			}
			seen[r.id] = true
			switch {
			case r.where != "" && !strings.Contains(string(tests), "\nfunc "+r.where+"(t *testing.T)"):
				t.Errorf("%s has no %s", elsewhere, r.where)
			case r.shown != nil:
				t.Run("shown", r.shown)
			}
		})
	}
}

func testSparkplugCase(t *testing.T) {
	p := newPlant(t, sparkplugSource)
	p.expect("spBv1.0/g/NBIRTH/n", nbirth(`{"name":"a b","alias":1,"dataType":"Int32","value":1},{"name":"A B","alias":2,"dataType":"Int32","value":2}`),
		"gateway g/n online=true\ng/electricity/n received a_b_10a3f9f2=1 a_b_546d26b2=2")
	p.expect("spBv1.0/g/NDATA/N", values(1, arrived, 5), "!no_birth")
	p.expect("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[`+nodeX+`]}`, "g/electricity/d received x=1")
	p.expect("spBv1.0/g/DDATA/n/D", values(2, arrived, 5), "!no_birth")
}
