package mqtt

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	in := start(t, intakeOptions{config: configFor(broker.Addr()), receivedBase: 1000})
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 100)
	eventually(t, "the last message is noted", func() bool { return !in.session("imdad").LastMessage.IsZero() })
	eventually(t, "all is done", func() bool { l, _ := in.client.queue.count(); return l.received == 1100 && l.inFlight == 0 })

	families, err := in.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := peers.Promtool(t.Context(), bytes.NewReader(text.Bytes()), "check", "metrics"); err != nil || out != "" {
		t.Errorf("promtool: %v %s", err, out)
	}
	want := []string{
		"imdad_messages_abandoned_total", "imdad_messages_in_flight", "imdad_messages_received_total",
		"imdad_mqtt_connect_failures_total", "imdad_mqtt_connected", "imdad_mqtt_connects_total",
		"imdad_mqtt_disconnects_total", "imdad_mqtt_forgotten_sessions_total", "imdad_mqtt_last_message_age_seconds",
		"imdad_mqtt_overflows_total", "imdad_mqtt_queue_bytes",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names %v", names)
	}
	for _, line := range []string{
		"imdad_messages_received_total 1100", "imdad_messages_in_flight 0", "imdad_messages_abandoned_total 0",
		`imdad_mqtt_connected{session="imdad"} 1`, `imdad_mqtt_connects_total{session="imdad"} 1`,
	} {
		if !strings.Contains(text.String(), "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	problems, err := testutil.GatherAndLint(in.registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	if age := time.Since(in.session("imdad").LastMessage); age > time.Minute {
		t.Errorf("last message %s ago", age)
	}
}
