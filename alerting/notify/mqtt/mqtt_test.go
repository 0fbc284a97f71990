package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func words(a alarm.Alarm) (map[message.Language]message.Text, error) {
	return map[message.Language]message.Text{
		message.English: {Subject: "Power lost at " + a.Object, Plain: "Power lost"},
		message.Arabic:  {Subject: "انقطاع التيار الكهربائي عن \u2068" + a.Object + "\u2069", Plain: "انقطاع"},
	}, nil
}

func outage(object, city, zone string, state alarm.State) alarm.Alarm {
	key := rule.Key{Kind: "elec.outage", Object: object}
	return alarm.Alarm{ID: key.ID(), Key: key, Severity: rule.High, State: state, City: city, InZone: zone}
}

func notice(a alarm.Alarm) notify.Notice {
	texts, _ := words(a)
	return notify.Notice{ID: 1, Created: time.UnixMilli(1763895600123).UTC(), Texts: texts,
		Content: message.Content{Type: message.Alarm, Alarms: []alarm.Alarm{a}}}
}

func broker(t *testing.T, o peers.MosquittoOptions) *peers.Process {
	t.Helper()
	p, err := peers.StartMosquitto(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

func open(t *testing.T, mutate func(*Options), brokers ...string) *Channel {
	t.Helper()
	o := Options{Config: DefaultConfig(), Texts: words}
	for _, addr := range brokers {
		o.Config.Brokers = append(o.Config.Brokers, "tcp://"+addr)
	}
	if mutate != nil {
		mutate(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// retained returns what a newcomer is told: the retained messages under the prefix. A message published after the
// subscription, which is not retained to it, tells that all have come.
func retained(t *testing.T, addr string) map[string]string {
	t.Helper()
	got, end := map[string]string{}, make(chan struct{}, 10)
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("newcomer"))
	must(t, client.Connect())
	must(t, client.Subscribe("imdad/alarm/v1/#", 1, func(_ paho.Client, m paho.Message) {
		if !m.Retained() {
			end <- struct{}{} // and anything that was on its way
			return
		}
		got[m.Topic()] = string(m.Payload())
	}))
	must(t, client.Publish("imdad/alarm/v1/end/end", 1, false, "end"))
	select {
	case <-end:
	case <-time.After(time.Minute):
		t.Fatal("the subscription brought nothing")
	}
	client.Disconnect(0)
	return got
}

func must(t *testing.T, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(time.Minute) || token.Error() != nil {
		t.Fatal("no answer in time, or ", token.Error())
	}
}

func TestAlarmsAreRetainedUntilTheyReturn(t *testing.T) {
	t.Parallel()
	p := broker(t, peers.MosquittoOptions{Dir: t.TempDir()})
	c := open(t, nil, p.Addr())
	feeder := outage("F-12", "adra", "craft", alarm.Unacknowledged)
	station := outage("S-1", "adra", "", alarm.Acknowledged)
	for _, a := range []alarm.Alarm{feeder, station} {
		if err := c.Send(t.Context(), notice(a)); err != nil {
			t.Fatal(err)
		}
	}
	got := retained(t, p.Addr())
	var payload Payload
	if err := json.Unmarshal([]byte(got["imdad/alarm/v1/craft/elec.outage:F-12"]), &payload); err != nil {
		t.Fatalf("%v in %v", err, got)
	}
	if payload.ID != feeder.ID || payload.Object != "F-12" || payload.InZone != "craft" || payload.State != alarm.Unacknowledged ||
		payload.Texts[message.Arabic].Subject != "انقطاع التيار الكهربائي عن \u2068F-12\u2069" || !payload.Published.Equal(time.UnixMilli(1763895600123)) {
		t.Errorf("payload %+v", payload)
	}
	if len(got) != 2 || got["imdad/alarm/v1/adra/elec.outage:S-1"] == "" {
		t.Errorf("retained %v", got)
	}
	feeder.State = alarm.Returned
	if err := c.Send(t.Context(), notice(feeder)); err != nil {
		t.Fatal(err)
	}
	if got := retained(t, p.Addr()); len(got) != 1 || got["imdad/alarm/v1/adra/elec.outage:S-1"] == "" {
		t.Errorf("after the return: %v", got)
	}
}

// TestABrokerThatLostEverythingIsToldAgain restarts the broker with an empty directory on the same address.
func TestABrokerThatLostEverythingIsToldAgain(t *testing.T) {
	t.Parallel()
	p := broker(t, peers.MosquittoOptions{Dir: t.TempDir()})
	c := open(t, nil, p.Addr())
	standing := []alarm.Alarm{outage("F-1", "adra", "craft", alarm.Unacknowledged), outage("F-2", "adra", "craft", alarm.Acknowledged)}
	if err := c.Refresh(t.Context(), nil); err != nil || c.link != nil {
		t.Errorf("nothing stands: %v, connected %t", err, c.link != nil)
	}
	if err := c.Refresh(t.Context(), standing); err != nil {
		t.Fatal(err)
	}
	first := c.link
	if err := c.Refresh(t.Context(), standing); err != nil || c.link != first {
		t.Errorf("a second refresh: %v, another connection: %t", err, c.link != first)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), notice(standing[0])); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("without a broker: %v", err)
	}
	p = broker(t, peers.MosquittoOptions{Dir: t.TempDir(), Addr: p.Addr()})
	if err := c.Send(t.Context(), notice(outage("F-3", "adra", "craft", alarm.Unacknowledged))); err != nil {
		t.Fatal(err)
	}
	if err := c.Refresh(t.Context(), standing); err != nil {
		t.Fatal(err)
	}
	if got := retained(t, p.Addr()); len(got) != 3 {
		t.Errorf("retained %v", got)
	}
}

func TestTheFirstBrokerThatAnswersTakesThem(t *testing.T) {
	t.Parallel()
	gone, err := peers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	p := broker(t, peers.MosquittoOptions{Dir: t.TempDir()})
	c := open(t, nil, gone, p.Addr())
	if err := c.Send(t.Context(), notice(outage("F-1", "adra", "craft", alarm.Unacknowledged))); err != nil {
		t.Error(err)
	}
}

func TestSendFailures(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes the connection, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	gone, err := peers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	strict := broker(t, peers.MosquittoOptions{Dir: t.TempDir(), Extra: []string{"allow_anonymous false"}})
	n := notice(outage("F-1", "adra", "craft", alarm.Unacknowledged))
	for _, c := range []struct {
		name, addr, want string
	}{
		{"refused", gone, "connection refused"},
		{"hangs", silent.Addr().String(), "connect to the broker"},
		{"not authorized", strict.Addr(), "not Authorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			channel := open(t, func(o *Options) { o.Config.Timeout = 500 * time.Millisecond }, c.addr)
			err := channel.Send(t.Context(), n)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, notify.ErrPermanent) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, nil, silent.Addr().String()).Send(ctx, n); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	c := open(t, func(o *Options) {
		o.Password = func() (string, error) { return "", errors.New("no such file") }
	}, gone)
	if err := c.Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("unreadable password: %v", err)
	}
	for _, a := range []alarm.Alarm{outage("a/b", "adra", "", alarm.Acknowledged), outage("a", "", "", alarm.Acknowledged)} {
		if err := c.Send(t.Context(), notice(a)); !errors.Is(err, notify.ErrPermanent) {
			t.Errorf("%s in %q: %v, want a refusal for good", a.ID, a.City, err)
		}
	}
}

// TestABrokerThatFreezes is paused between two notices.
func TestABrokerThatFreezes(t *testing.T) {
	t.Parallel()
	p := broker(t, peers.MosquittoOptions{Dir: t.TempDir()})
	c := open(t, func(o *Options) { o.Config.Timeout = 2 * time.Second }, p.Addr())
	n := notice(outage("F-1", "adra", "craft", alarm.Unacknowledged))
	if err := c.Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for c.Send(t.Context(), n) == nil { // SIGSTOP takes a moment
		if time.Now().After(deadline) {
			t.Fatal("a frozen broker acknowledges")
		}
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), n); err != nil {
		t.Errorf("after it woke: %v", err)
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
		{"no broker", func(c *Config) { c.Brokers = nil }, "brokers: name at least one"},
		{"scheme", func(c *Config) { c.Brokers[0] = "mqtt://b:1883" }, `brokers[0]: unknown scheme "mqtt"`},
		{"host", func(c *Config) { c.Brokers[0] = "tcp://:1883" }, "brokers[0]: no host"},
		{"port", func(c *Config) { c.Brokers[0] = "tcp://b" }, "brokers[0]: no port"},
		{"user", func(c *Config) { c.Brokers[0] = "tcp://u:p@b:1883" }, "brokers[0]: put the user"},
		{"address", func(c *Config) { c.Brokers[0] = "tcp://a b" }, "brokers[0]: not an address"},
		{"client id", func(c *Config) { c.ClientID = "" }, "client_id: must not"},
		{"password alone", func(c *Config) { c.Password = "x" }, "password: needs"},
		{"certificate alone", func(c *Config) { c.TLS.Cert = "x" }, "tls: cert and key"},
		{"timeout", func(c *Config) { c.Timeout = 0 }, "timeout: 0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.Brokers = []string{"ssl://broker.example:8883"}
			c.mutate(&config)
			err := config.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
	config := DefaultConfig()
	config.Brokers, config.TLS.CA = []string{"ssl://b:8883"}, "missing.pem"
	if _, err := New(Options{Config: config, Texts: words}); err == nil || !strings.HasPrefix(err.Error(), "read tls.ca") {
		t.Errorf("missing authority: %v", err)
	}
}
