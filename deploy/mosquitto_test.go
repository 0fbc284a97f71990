package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// startBroker runs the real broker with the deployed settings, its paths turned into this machine's.
func startBroker(t *testing.T, dir, addr string) *peers.Process {
	t.Helper()
	acl := filepath.Join(dir, "acl")
	probe := "\nuser probe\ntopic read #\n" // sees what got through
	if err := os.WriteFile(acl, []byte(read(t, "mosquitto/acl")+probe), 0o600); err != nil {
		t.Fatal(err)
	}
	passwords := filepath.Join(dir, "passwords")
	for _, args := range [][]string{
		{"-c", "-b", passwords, "imdad", "collect"}, {"-b", passwords, "meters", "measure"}, {"-b", passwords, "probe", "look"},
	} {
		if out, err := exec.CommandContext(t.Context(), "mosquitto_passwd", args...).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
	}
	local := map[string]string{"acl_file": acl, "password_file": passwords}
	var settings []string
	for line := range strings.Lines(read(t, "mosquitto/mosquitto.conf")) {
		key, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch path, ok := local[key]; {
		case ok:
			settings = append(settings, key+" "+path)
		case key != "listener" && key != "persistence_location": // the test's own
			settings = append(settings, line)
		}
	}
	p, err := peers.StartMosquitto(t.Context(), peers.MosquittoOptions{Dir: dir, Addr: addr, Extra: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func client(addr, id, user, password string, got chan<- mqtt.Message) mqtt.Client {
	return mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetProtocolVersion(4).
		SetUsername(user).SetPassword(password).SetCleanSession(false).SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got <- m }))
}

func done(t *testing.T, what string, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatalf("%s: %v", what, token.Error())
	}
}

// TestBrokerHoldsTheQueueOfAnAbsentCollector queues more than the broker's defaults would keep, restarts the broker and
// collects. What the access list forbids does not come.
func TestBrokerHoldsTheQueueOfAnAbsentCollector(t *testing.T) {
	const readings = 5000
	dir := t.TempDir()
	broker := startBroker(t, dir, "")
	got := make(chan mqtt.Message, 2*readings)

	collector := client(broker.Addr(), "imdad", "imdad", "collect", got)
	done(t, "connect", collector.Connect())
	done(t, "subscribe", collector.Subscribe("imdad/v1/#", 1, nil))
	collector.Disconnect(100)

	meters := client(broker.Addr(), "gateway-1", "meters", "measure", got)
	done(t, "connect", meters.Connect())
	done(t, "subscribe", meters.Subscribe("imdad/v1/#", 1, nil)) // granted, but nothing may be read
	done(t, "publish", meters.Publish("imdad/alarm/v1/sn-z1/x", 1, false, "forged"))
	var last mqtt.Token
	for range readings {
		last = meters.Publish("imdad/v1/sn-z1/electricity/m1", 1, false, `{"values":{"active_power_kw":1}}`)
	}
	done(t, "publish", last)
	meters.Disconnect(250)
	if len(got) != 0 {
		t.Errorf("the meters' user read %d messages", len(got))
	}

	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	broker = startBroker(t, dir, broker.Addr())
	collector = client(broker.Addr(), "imdad", "imdad", "collect", got)
	done(t, "connect", collector.Connect())
	deadline := time.After(30 * time.Second)
	for n := range readings {
		select {
		case m := <-got:
			if m.Topic() != "imdad/v1/sn-z1/electricity/m1" {
				t.Errorf("message on %s", m.Topic())
			}
		case <-deadline:
			t.Fatalf("%d of %d readings came", n, readings)
		}
	}
	collector.Disconnect(100)
}

// TestSimulatedMetersAreLetIn runs the stack's own simulator against the stack's own broker settings; it fails unless the
// broker has acknowledged every message.
func TestSimulatedMetersAreLetIn(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, t.TempDir(), "")
	got := make(chan mqtt.Message, 1000)
	collector := client(broker.Addr(), "imdad", "imdad", "collect", got)
	done(t, "connect", collector.Connect())
	done(t, "subscribe", collector.Subscribe("imdad/v1/#", 1, nil))

	meters := readCompose(t).Services["meters"]
	program := filepath.Base(meters.Entrypoint[0])
	args := append([]string{"run", "../cmd/" + program}, meters.Command...)
	for i := range args {
		args[i] = strings.Replace(args[i], "broker:1883", broker.Addr(), 1)
	}
	simulator := exec.CommandContext(t.Context(), "go", append(args, "--messages", "100", "--interval", "1s")...)
	simulator.Env = append(os.Environ(), "METERSIM_PASSWORD=measure")
	for name, value := range meters.Environment {
		if !strings.HasPrefix(value, "$") {
			simulator.Env = append(simulator.Env, name+"="+value)
		}
	}
	if out, err := simulator.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	deadline := time.After(20 * time.Second)
	for n := range 100 {
		select {
		case <-got:
		case <-deadline:
			t.Fatalf("%d of 100 messages came", n)
		}
	}
	collector.Disconnect(100)
}

// TestCollectorMaySpeak: the collector's user may do what Sparkplug and Victron sources need, the meters' user may not.
func TestCollectorMaySpeak(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, t.TempDir(), "")
	got := make(chan mqtt.Message, 100)
	probe := client(broker.Addr(), "probe", "probe", "look", got)
	done(t, "connect", probe.Connect())
	done(t, "subscribe", probe.Subscribe("#", 1, nil))

	o := mqtt.NewClientOptions().AddBroker("tcp://"+broker.Addr()).SetClientID("imdad").SetProtocolVersion(4).
		SetUsername("imdad").SetPassword("collect").SetAutoReconnect(false).SetWill("spBv1.0/STATE/imdad", "offline", 1, true)
	collector := mqtt.NewClient(o)
	done(t, "connect with the will", collector.Connect())
	meters := client(broker.Addr(), "gateway-1", "meters", "measure", nil)
	done(t, "connect", meters.Connect())
	want := map[string]bool{}
	for _, topic := range []string{"spBv1.0/STATE/imdad", "spBv1.0/plant/NCMD/node", "R/e0ff50a097c0/keepalive", "imdad/alarm/v1/z/a", "imdad/v1/last"} {
		want[topic] = true
		done(t, "publish", meters.Publish(topic, 1, false, "meters"))
		done(t, "publish", collector.Publish(topic, 1, false, "collector"))
	}
	done(t, "publish", collector.Publish("N/e0ff50a097c0/x", 1, false, "collector"))
	deadline := time.After(20 * time.Second)
	for len(want) > 0 {
		select {
		case m := <-got:
			switch {
			case !want[m.Topic()]:
				t.Errorf("message on %s", m.Topic())
			case string(m.Payload()) == "meters" != (m.Topic() == "imdad/v1/last"):
				t.Errorf("%s was published by %s", m.Topic(), m.Payload())
			}
			delete(want, m.Topic())
		case <-deadline:
			t.Fatalf("not allowed: %v", want)
		}
	}
	for _, c := range []mqtt.Client{collector, meters, probe} {
		c.Disconnect(100)
	}
}

func TestBrokerRefusesStrangers(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, t.TempDir(), "")
	for _, who := range [][2]string{{"", ""}, {"imdad", "wrong"}, {"nobody", "collect"}} {
		c := client(broker.Addr(), "stranger", who[0], who[1], nil)
		if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() == nil {
			t.Errorf("user %q with password %q was let in", who[0], who[1])
		}
		c.Disconnect(0)
	}
}
