package email

import (
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

type noNames struct{}

func (noNames) Object(string) (zone.Object, bool) { return zone.Object{}, false }

// TestTheWordsOfARealNoticeArriveUnchanged mails what the renderer makes, in both languages, through a real server.
func TestTheWordsOfARealNoticeArriveUnchanged(t *testing.T) {
	t.Parallel()
	renderer, err := message.New(noNames{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := open(t, server(t, peers.SMTPOptions{Dir: dir}).Addr(), nil)
	n := notice("rima@example.org")
	since := time.Date(2026, 11, 23, 8, 15, 0, 0, time.UTC)
	n.Content.Alarms = []alarm.Alarm{{
		ID: "elec.outage:F-12", Key: rule.Key{Kind: "elec.outage", Object: "F-12"}, Severity: rule.High, State: alarm.Unacknowledged,
		Since: since, Raised: since, Changed: since, Occurrence: 9, City: "adra", InZone: "craft", ObjectKind: zone.FeederKind, Stalls: []string{"dye-1"},
	}}
	n.Content.AckURL = "https://imdad.example/ack?token=" + strings.Repeat("x", 200)
	for i, l := range []message.Language{message.Arabic, message.English} {
		text, err := renderer.Render(n.Content, l, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		n.ID, n.Language, n.Texts = int64(50+i), l, map[message.Language]message.Text{l: text}
		if err := c.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, raw := range inbox(t, dir) {
			got := parse(t, raw)
			if got.header.Get("Content-Language") != string(l) {
				continue
			}
			found = true
			if got.subject(t) != text.Subject || got.parts[0] != text.Plain || got.parts[1] != text.HTML {
				t.Errorf("%s: %q\n%q\nwant %q\n%q", l, got.subject(t), got.parts, text.Subject, text.Plain)
			}
		}
		if !found {
			t.Errorf("no mail in %s", l)
		}
	}
}
