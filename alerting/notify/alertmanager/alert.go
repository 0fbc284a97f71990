package alertmanager

import (
	"net/url"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// lifetime is how many times Resend an alert lives without being told again, as Prometheus has it: one lost request, and
// even three, end nothing.
const lifetime = 4

// alert is a postableAlert of Alertmanager's API v2.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// alert puts an alarm as it is into an alert.
func (c *Channel) alert(a alarm.Alarm, texts map[message.Language]message.Text, now time.Time) alert {
	starts := a.Raised
	if starts.IsZero() || starts.After(now) {
		starts = now // of a simulated clock that runs ahead
	}
	out := alert{
		Labels: labels(a), Annotations: annotations(a, texts),
		StartsAt: starts, EndsAt: now.Add(lifetime * c.config.Resend),
	}
	if notify.Over(a) {
		out.EndsAt = now
	}
	if c.config.Console != "" {
		out.GeneratorURL = strings.TrimSuffix(c.config.Console, "/") + "/alarms/" + url.PathEscape(a.ID)
	}
	return out
}

// labels are the alert's identity; an empty label is none.
func labels(a alarm.Alarm) map[string]string {
	all := map[string]string{
		"alertname": a.Kind, "alarm_id": a.ID, "severity": a.Severity.String(),
		"city": a.City, "zone": a.InZone, "object": a.Object,
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// annotations are the words: English under the usual names, Arabic beside them.
func annotations(a alarm.Alarm, texts map[message.Language]message.Text) map[string]string {
	out := map[string]string{"state": string(a.State)}
	for language, suffix := range map[message.Language]string{message.English: "", message.Arabic: "_ar"} {
		if text, ok := texts[language]; ok {
			out["summary"+suffix], out["description"+suffix] = text.Subject, text.Plain
		}
	}
	if a.AcknowledgedBy != "" {
		out["acknowledged_by"] = a.AcknowledgedBy
	}
	if len(a.Stalls) > 0 {
		out["stalls"] = strings.Join(a.Stalls, ", ")
	}
	return out
}

// former is the alert of an alarm as it was with another severity. The severity is a label: to Alertmanager it is another
// alert, and has to end.
func former(current alert, was rule.Severity, now time.Time) alert {
	ended := current
	ended.Labels = make(map[string]string, len(current.Labels))
	for name, value := range current.Labels {
		ended.Labels[name] = value
	}
	ended.Labels["severity"] = was.String()
	ended.EndsAt = now
	return ended
}
