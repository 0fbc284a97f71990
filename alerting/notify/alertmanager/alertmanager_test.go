package alertmanager

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func words(a alarm.Alarm) (map[message.Language]message.Text, error) {
	return map[message.Language]message.Text{
		message.English: {Subject: "Power lost at " + a.Object, Plain: "Power lost at " + a.Object + "\nCall the utility."},
		message.Arabic:  {Subject: "انقطاع التيار الكهربائي عن " + a.Object, Plain: "انقطاع التيار الكهربائي"},
	}, nil
}

func outage(object, zone string, state alarm.State) alarm.Alarm {
	key := rule.Key{Kind: "elec.outage", Object: object}
	return alarm.Alarm{
		ID: key.ID(), Key: key, Severity: rule.High, State: state, City: "adra", InZone: zone,
		Raised: time.Now().Add(-time.Minute), Stalls: []string{"dye-1", "dye-2"},
	}
}

func notice(alarms ...alarm.Alarm) notify.Notice {
	texts, _ := words(alarms[0])
	return notify.Notice{ID: 1, Created: time.Now(), Content: message.Content{Type: message.Alarm, Alarms: alarms}, Texts: texts}
}

func open(t *testing.T, mutate func(*Config), urls ...string) *Channel {
	t.Helper()
	o := Options{Config: DefaultConfig(), Texts: words, Registerer: prometheus.NewRegistry()}
	o.Config.URLs, o.Config.Console = urls, "https://imdad.example/"
	if mutate != nil {
		mutate(&o.Config)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// instanceOf answers with each status in turn, then 200; 0 hangs.
func instanceOf(t *testing.T, got chan<- []alert, statuses ...int) string {
	t.Helper()
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/am/api/v2/alerts" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		if i := int(n.Add(1)) - 1; i < len(statuses) {
			if statuses[i] == 0 {
				<-r.Context().Done()
				return
			}
			w.WriteHeader(statuses[i])
			return
		}
		var alerts []alert
		if err := json.Unmarshal(body, &alerts); err != nil {
			t.Error(err)
		}
		if got != nil {
			got <- alerts
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/am/"
}

func TestSendTellsWhatAndUntilWhen(t *testing.T) {
	t.Parallel()
	got := make(chan []alert, 1)
	c := open(t, nil, instanceOf(t, got))
	now := time.Now().UTC().Truncate(time.Second)
	c.now = func() time.Time { return now }
	if err := c.Send(t.Context(), notice(outage("F-12", "craft", alarm.Unacknowledged))); err != nil {
		t.Fatal(err)
	}
	a := (<-got)[0]
	for name, want := range map[string]string{"alertname": "elec.outage", "alarm_id": "elec.outage:F-12", "severity": "high",
		"city": "adra", "zone": "craft", "object": "F-12"} {
		if a.Labels[name] != want {
			t.Errorf("label %s = %q, want %q", name, a.Labels[name], want)
		}
	}
	if len(a.Labels) != 6 || a.Annotations["summary"] != "Power lost at F-12" ||
		a.Annotations["summary_ar"] != "انقطاع التيار الكهربائي عن F-12" || a.Annotations["stalls"] != "dye-1, dye-2" {
		t.Errorf("alert %+v", a)
	}
	if !a.EndsAt.Equal(now.Add(4*time.Minute)) || a.StartsAt.After(now) || a.GeneratorURL != "https://imdad.example/alarms/elec.outage:F-12" {
		t.Errorf("from %v to %v, %s; now is %v", a.StartsAt, a.EndsAt, a.GeneratorURL, now)
	}
}

func TestASimulatedFutureStartsNow(t *testing.T) {
	t.Parallel()
	c := open(t, nil, "http://localhost")
	now := time.Now()
	future := outage("F-1", "", alarm.Returned)
	future.Raised = now.Add(time.Hour)
	if a := c.alert(future, nil, now); !a.StartsAt.Equal(now) || !a.EndsAt.Equal(now) || a.Labels["zone"] != "" {
		t.Errorf("%+v", a)
	}
}

func TestASeverityStepEndsTheFormerAlert(t *testing.T) {
	t.Parallel()
	got := make(chan []alert, 4)
	c := open(t, nil, instanceOf(t, got))
	a := outage("F-12", "craft", alarm.Unacknowledged)
	worse := a
	worse.Severity = rule.Critical
	for _, send := range []func() error{
		func() error { return c.Refresh(t.Context(), []alarm.Alarm{a}) },
		func() error { return c.Send(t.Context(), notice(worse)) },
		func() error { return c.Refresh(t.Context(), []alarm.Alarm{worse}) },
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	<-got
	step, after := <-got, <-got
	if len(step) != 2 || step[0].Labels["severity"] != "high" || step[0].EndsAt.After(time.Now()) ||
		step[1].Labels["severity"] != "critical" || !step[1].EndsAt.After(time.Now()) {
		t.Errorf("at the step: %+v", step)
	}
	if len(after) != 1 {
		t.Errorf("after it: %+v", after)
	}
	worse.State = alarm.Returned
	if err := c.Send(t.Context(), notice(worse)); err != nil {
		t.Fatal(err)
	}
	if over := <-got; len(over) != 1 || over[0].EndsAt.After(time.Now()) || len(c.told) != 0 {
		t.Errorf("over: %+v, remembered %v", over, c.told)
	}
}

func TestRefreshGoesInBatches(t *testing.T) {
	t.Parallel()
	got := make(chan []alert, 4)
	c := open(t, nil, instanceOf(t, got))
	if err := c.Refresh(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("nothing stands: %v, %d requests", err, len(got))
	}
	if err := c.Refresh(t.Context(), make([]alarm.Alarm, maxBatch+1)); err != nil {
		t.Fatal(err)
	}
	if a, b := <-got, <-got; len(a) != maxBatch || len(b) != 1 {
		t.Errorf("%d and %d alerts", len(a), len(b))
	}
}

func TestInstancesAreToldEachForItself(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	short := func(c *Config) { c.Timeout = 500 * time.Millisecond }
	for _, c := range []struct {
		name      string
		urls      []string
		ok        bool
		permanent bool
	}{
		{"one refuses the connection", []string{closed.URL, instanceOf(t, nil)}, true, false},
		{"one hangs", []string{instanceOf(t, nil, 0), instanceOf(t, nil)}, true, false},
		{"one says 400", []string{instanceOf(t, nil, 400), instanceOf(t, nil)}, true, false},
		{"all say 400", []string{instanceOf(t, nil, 400), instanceOf(t, nil, 400)}, false, true},
		{"400 and 500", []string{instanceOf(t, nil, 400), instanceOf(t, nil, 500)}, false, false},
		{"all are away", []string{closed.URL, instanceOf(t, nil, 503)}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			channel := open(t, short, c.urls...)
			n := notice(outage("F-12", "craft", alarm.Unacknowledged))
			err := channel.Send(t.Context(), n)
			if (err == nil) != c.ok || errors.Is(err, notify.ErrPermanent) != c.permanent {
				t.Fatalf("err = %v, want ok %t, permanent %t", err, c.ok, c.permanent)
			}
			if !c.ok && !c.permanent {
				if err := channel.Send(t.Context(), n); err != nil {
					t.Errorf("the next attempt: %v", err)
				}
			}
		})
	}
	channel := open(t, short, closed.URL, instanceOf(t, nil))
	if err := channel.Send(t.Context(), notice(outage("F-1", "", alarm.Acknowledged))); err != nil {
		t.Fatal(err)
	}
	if failed, stored := testutil.ToFloat64(channel.instances[0].failed), testutil.ToFloat64(channel.instances[1].stored); failed != 1 || stored != 1 {
		t.Errorf("counted %v failed and %v stored", failed, stored)
	}
}

func TestRefreshReportsWhatHasNoWords(t *testing.T) {
	t.Parallel()
	c := open(t, nil, "http://localhost")
	c.texts = func(alarm.Alarm) (map[message.Language]message.Text, error) { return nil, errors.New("no such text") }
	if err := c.Refresh(t.Context(), []alarm.Alarm{outage("F-1", "", alarm.Acknowledged)}); err == nil || !strings.Contains(err.Error(), "elec.outage:F-1") {
		t.Errorf("err = %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Config)
		want   string
	}{
		{"complete", func(*Config) {}, ""},
		{"no instance", func(c *Config) { c.URLs = nil }, "urls: name at least one"},
		{"no scheme", func(c *Config) { c.URLs = append(c.URLs, "am:9093") }, "urls[1]: give an address"},
		{"no address", func(c *Config) { c.URLs[0] = "http://a b" }, "urls[0]: not an address"},
		{"a query", func(c *Config) { c.URLs[0] += "?x=1" }, "urls[0]: give an address"},
		{"console", func(c *Config) { c.Console = "console" }, "console: give an address"},
		{"resend", func(c *Config) { c.Resend = 2 * time.Minute }, "resend: 2m0s"},
		{"timeout", func(c *Config) { c.Timeout = 0 }, "timeout: 0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.URLs = []string{"https://am.example/prefix"}
			c.mutate(&config)
			err := config.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}
