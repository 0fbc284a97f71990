package mqtt

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Config)
		want   string // the whole error; empty for none
	}{
		{"valid", func(*Config) {}, ""},
		{"every scheme", func(c *Config) {
			c.Brokers = []string{"tcp://h", "ssl://h:1", "ws://h/mqtt", "wss://[::1]:2/x"}
		}, ""},
		{"no broker", func(c *Config) { c.Brokers = nil }, "brokers: name at least one, such as tcp://127.0.0.1:1883"},
		{"no scheme", func(c *Config) { c.Brokers = []string{"127.0.0.1:1883"} },
			`brokers[0]: no scheme in "127.0.0.1:1883"; write tcp://127.0.0.1:1883`},
		{"unknown scheme", func(c *Config) { c.Brokers = []string{"htp://h"} },
			`brokers[0]: unknown scheme "htp"; use tcp, ssl, ws or wss`},
		{"no scheme", func(c *Config) { c.Brokers = []string{"tcp://h", "localhost"} },
			`brokers[1]: no scheme in "localhost"; write tcp://localhost`},
		{"host and port alone", func(c *Config) { c.Brokers = []string{"localhost:1883"} },
			`brokers[0]: no scheme in "localhost:1883"; write tcp://localhost:1883`},
		{"no host", func(c *Config) { c.Brokers = []string{"tcp://:1883"} }, "brokers[0]: no host"},
		{"bad port", func(c *Config) { c.Brokers = []string{"tcp://h:70000"} }, "brokers[0]: port 70000 is not within 1 to 65535"},
		{"user in the address", func(c *Config) { c.Brokers = []string{"tcp://u:p@h"} },
			"brokers[0]: put the user and the password under username and password"},
		{"no client id", func(c *Config) { c.ClientID = "" },
			"client_id: must not be empty; the broker keeps the session under this name"},
		{"control characters", func(c *Config) { c.ClientID = "a\nb" }, "client_id: must not contain control characters"},
		{"password alone", func(c *Config) { c.Password = "x" }, "password: needs a username as well"},
		{"no connection", func(c *Config) { c.Connections = 0 }, "connections: 0 is not within 1 to 64"},
		{"share with a slash", func(c *Config) { c.Share = "a/b" }, `share: "a/b" must not contain /, + or #`},
		{"certificate alone", func(c *Config) { c.TLS.Cert = "x" }, "tls: cert and key go together"},
		{"keep alive", func(c *Config) { c.KeepAlive = time.Second }, "keep_alive: 1s is not within 5s to 65535s"},
		{"watchdog off", func(c *Config) { c.IdleTimeout = 0 }, ""},
		{"idle timeout", func(c *Config) { c.IdleTimeout = -1 }, "idle_timeout: -1ns is neither 0 (off) nor at least 1s"},
		{"queue", func(c *Config) { c.QueueMiB = 0 }, "queue_mib: 0 is not within 1 to 4096"},
		{"all at once", func(c *Config) { c.Connections, c.QueueMiB = -1, -1 },
			"connections: -1 is not within 1 to 64\nqueue_mib: -1 is not within 1 to 4096"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := configFor("127.0.0.1:1883")
			c.mutate(&config)
			got := ""
			if err := config.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestBrokerPorts(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"tcp://h": "h:1883", "ssl://h": "h:8883", "ws://h/x": "h:80", "wss://h": "h:443", "tcp://h:5": "h:5", "tcp://[::1]": "[::1]:1883",
	} {
		u, err := parseBroker(address)
		if err != nil || u.Host != want {
			t.Errorf("%s: %v, %v; want %s", address, u, err, want)
		}
	}
}

func TestCheckFilter(t *testing.T) {
	t.Parallel()
	for filter, valid := range map[string]bool{
		"imdad/v1/#": true, "#": true, "+": true, "a/+/b": true, "/": true, "a b": true, "$share/g/a/#": true, "سوق/#": true,
		"": false, "a/#/b": false, "a#": false, "a/b+": false, "a\x00": false, "a\xff": false,
		strings.Repeat("a", 65536): false,
	} {
		if err := checkFilter(filter); (err == nil) != valid {
			t.Errorf("%.20q: %v", filter, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Options)
		want   string
	}{
		{"a bad filter", func(o *Options) { o.Filters = []string{"a/#/b"} }, `topic filter "a/#/b": # must be the last level`},
		{"no filter", func(o *Options) { o.Filters = nil }, "no topic filter"},
		{"no clock", func(o *Options) { o.Now = nil }, "must be set"},
		{"a bad configuration", func(o *Options) { o.Config.ClientID = "" }, "client_id: "},
		{"a missing authority", func(o *Options) { o.Config.TLS.CA = "missing.pem" }, "read tls.ca: open missing.pem"},
		{"a missing certificate", func(o *Options) { o.Config.TLS.Cert, o.Config.TLS.Key = "missing.pem", "missing.pem" }, "read tls.cert"},
		{"an unreadable state", func(o *Options) { o.StatePath = t.TempDir() }, "read the remembered sessions"},
		{"metrics that exist", func(o *Options) {
			if _, err := New(*o); err != nil {
				t.Fatal(err)
			}
		}, "register metrics"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{
				Config: configFor("127.0.0.1:1883"), Filters: []string{"#"}, Now: time.Now, Accepting: func() bool { return true },
				StatePath: t.TempDir() + "/sessions.json", Log: zerolog.Nop(), Registerer: prometheus.NewRegistry(),
			}
			c.mutate(&o)
			_, err := New(o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestNoPasswordResolverMeansTheConfigured(t *testing.T) {
	t.Parallel()
	o := intakeOptions{config: configFor("127.0.0.1:1")}
	o.config.Username, o.config.Password = "u", "p"
	in := newIntake(t, o)
	if p, err := in.client.shared.password(); p != "p" || !errors.Is(err, nil) {
		t.Errorf("%q, %v", p, err)
	}
}
