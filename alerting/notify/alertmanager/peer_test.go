package alertmanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// routing groups by zone and hands every group to a webhook.
const routing = `
route:
  receiver: hook
  group_by: [zone]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs: [{url: %q, send_resolved: true}]
`

// group is what Alertmanager tells its receivers.
type group struct {
	Status      string            `json:"status"`
	GroupLabels map[string]string `json:"groupLabels"`
	Alerts      []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// TestARealAlertmanagerGroupsAndResolves sends three outages of two zones, and then ends one zone's.
func TestARealAlertmanagerGroupsAndResolves(t *testing.T) {
	t.Parallel()
	groups := make(chan group, 64)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var g group
		if err := json.NewDecoder(r.Body).Decode(&g); err != nil {
			t.Error(err)
		}
		groups <- g
	}))
	t.Cleanup(hook.Close)
	p, err := peers.StartAlertmanager(t.Context(), peers.AlertmanagerOptions{Dir: t.TempDir(), Config: fmt.Sprintf(routing, hook.URL)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	gone, err := peers.FreeAddr() // a second instance, which is down
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, nil, "http://"+gone, "http://"+p.Addr())

	all := []alarm.Alarm{outage("F-1", "craft", alarm.Unacknowledged), outage("F-2", "craft", alarm.Unacknowledged), outage("F-3", "large", alarm.Unacknowledged)}
	for _, a := range all {
		if err := c.Send(t.Context(), notice(a)); err != nil {
			t.Fatal(err)
		}
	}
	craft := waitFor(t, groups, func(g group) bool { return g.GroupLabels["zone"] == "craft" && len(g.Alerts) == 2 })
	if craft.Status != "firing" || craft.Alerts[0].Annotations["summary_ar"] == "" {
		t.Errorf("group %+v", craft)
	}
	out, err := peers.Amtool(t.Context(), p.Addr(), "alert", "query", "--output=extended", "zone=craft")
	if err != nil || !strings.Contains(out, "elec.outage:F-1") || !strings.Contains(out, "elec.outage:F-2") || strings.Contains(out, "F-3") ||
		!strings.Contains(out, "Power lost at F-1") {
		t.Errorf("amtool: %v\n%s", err, out)
	}
	if err := c.Refresh(t.Context(), all); err != nil {
		t.Error(err)
	}
	for _, a := range all[:2] {
		a.State = alarm.Returned
		if err := c.Send(t.Context(), notice(a)); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, groups, func(g group) bool { return g.GroupLabels["zone"] == "craft" && g.Status == "resolved" })
	out, err = peers.Amtool(t.Context(), p.Addr(), "alert", "query")
	if err != nil || strings.Contains(out, "F-1") || !strings.Contains(out, "F-3") {
		t.Errorf("amtool after the return: %v\n%s", err, out)
	}
}

// waitFor takes groups until one is what is looked for.
func waitFor(t *testing.T, groups <-chan group, ok func(group) bool) group {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case g := <-groups:
			if ok(g) {
				return g
			}
		case <-deadline:
			t.Fatal(errors.New("no such group came"))
		}
	}
}
