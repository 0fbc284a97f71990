package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

const (
	e2eMeters = 2000
	e2eRate   = 5000   // messages a second
	e2eLeast  = 50_000 // readings that each test must publish
)

// city is a whole installation for one test: real servers, the collector as a
// process of its own, and simulated meters that keep the truth.
//
//	streams ─► broker ─► collector ─► database
//	   │ truth               │ ledger     │ every reading
//	   └──────────────► verify ◄──────────┘
//
// A test makes one, changes config where it must (a proxy between two parts, a
// smaller spool), starts the collector, publishes, breaks something, mends it,
// and lets verify compare the three books.
type city struct {
	t        *testing.T
	dir      string
	registry *zone.Registry
	config   config   // written at each start of the collector
	sources  []byte   // the section of it as a fleet writes it; nil: what config says
	flags    []string // of its command line, besides the configuration

	brokerOptions   peers.MosquittoOptions
	broker          *peers.Process
	databaseOptions peers.InfluxDBOptions
	database        *peers.Process
	databaseToken   string // user:password, for verify; empty without authentication

	collector *child // nil before the first start
	http      string // its address
	streams   []*stream
	client    http.Client
}

// newCity starts broker and database. The collector is not started yet.
func newCity(t *testing.T, change ...func(*city)) *city {
	t.Helper()
	c := &city{t: t, dir: t.TempDir(), config: defaultConfig(), client: http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}}
	t.Cleanup(c.client.CloseIdleConnections)
	reg, err := configs.ShippedRegistry(metersim.DefaultCity)
	if err == nil {
		c.registry, err = metersim.Scale(reg, e2eMeters)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.brokerOptions = peers.MosquittoOptions{Dir: c.folder("broker"), Extra: []string{"max_inflight_messages 1000"}}
	c.databaseOptions = peers.InfluxDBOptions{Dir: c.folder("database")}
	for _, f := range change {
		f(c)
	}
	c.startBroker()
	c.startDatabase()
	c.config.DataDir = c.folder("data")
	c.config.MQTT.Brokers, c.config.MQTT.ClientID = []string{"tcp://" + c.broker.Addr()}, "imdad"
	c.config.Influx.URL, c.config.Influx.Org, c.config.Influx.Bucket = "http://"+c.database.Addr(), "imdad", databaseName
	c.config.Influx.Create = true
	c.config.HTTP.Listen = "127.0.0.1:0"
	c.config.Log.Format = "json"
	shipped, err := filepath.Abs("../../configs/cities/" + metersim.DefaultCity + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.config.Cities = []string{shipped}
	return c
}

// withAuth lets the database ask for credentials.
func withAuth(c *city) {
	c.databaseOptions.Auth = true
	c.databaseToken = peers.InfluxUser + ":" + peers.InfluxPassword
}

func (c *city) folder(name string) string {
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// startBroker starts the broker, at its old address if it has run before.
func (c *city) startBroker() {
	c.t.Helper()
	b, err := peers.StartMosquitto(c.t.Context(), c.brokerOptions)
	if err != nil {
		c.t.Fatal(err)
	}
	c.broker, c.brokerOptions.Addr = b, b.Addr()
	c.t.Cleanup(func() { c.must("end the broker", b.Kill()) })
}

// startDatabase starts the database, at its old address if it has run before.
// One that was killed may be started again once only, and is to be checked
// before it is started another time: version 1.8.3 loses data otherwise.
func (c *city) startDatabase() {
	c.t.Helper()
	d, err := peers.StartInfluxDB(c.t.Context(), c.databaseOptions)
	if err != nil {
		c.t.Fatal(err)
	}
	c.database, c.databaseOptions.Addr = d, d.Addr()
	c.t.Cleanup(func() { c.must("end the database", d.Kill()) })
}

// spawn starts the collector with what config says now, and waits until its
// HTTP side is there.
func (c *city) spawn() {
	c.t.Helper()
	text, err := c.configuration()
	c.must("write the configuration", err)
	path, addresses := filepath.Join(c.dir, "imdad.yaml"), filepath.Join(c.dir, "addresses")
	c.must("write the configuration", os.WriteFile(path, text, 0o600))
	if err := os.Remove(addresses); err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	args := append([]string{"run", "--config", path, "--addr-file", addresses}, c.flags...)
	if c.collector, err = startChild(filepath.Join(c.dir, "collector.log"), "imdad", args...); err != nil {
		c.t.Fatal(err)
	}
	made := c.collector
	c.t.Cleanup(func() {
		defer made.kill()
		switch {
		case c.collector != made: // another one has come after it
		case c.t.Failed():
			c.explain()
		case !made.hasExited(): // after all that, it ends as it should
			c.must("end the collector", made.terminate(happensWithin))
		}
	})
	c.eventually("the collector's address", func() (bool, error) {
		if c.collector.hasExited() {
			return false, fmt.Errorf("it has ended: %v", c.collector.state())
		}
		text, err := os.ReadFile(addresses)
		if os.IsNotExist(err) {
			return false, nil
		}
		c.http = strings.TrimSpace(strings.TrimPrefix(string(text), "http="))
		return true, err
	})
}

// configuration is the file that the collector gets.
func (c *city) configuration() ([]byte, error) {
	text, err := yaml.Marshal(c.config)
	if err != nil || c.sources == nil {
		return text, err
	}
	var sections yaml.MapSlice
	if err := yaml.Unmarshal(text, &sections); err != nil {
		return nil, err
	}
	text, err = yaml.Marshal(slices.DeleteFunc(sections, func(s yaml.MapItem) bool { return s.Key == "sources" }))
	return append(text, c.sources...), err
}

// start spawns the collector and waits until its sessions are connected and
// its spool accepts.
func (c *city) start() {
	c.t.Helper()
	c.spawn()
	c.waitReady()
}

func (c *city) waitReady() {
	c.t.Helper()
	c.eventually("readiness", func() (bool, error) {
		code, _, err := c.readyz()
		return code == http.StatusOK, err
	})
}

// waitDegraded waits until the collector says that the database is out of
// order, for a cause that has the text in it, and that it is ready all the same.
func (c *city) waitDegraded(cause string) {
	c.t.Helper()
	c.eventually("a database that is degraded: "+cause, func() (bool, error) {
		code, body, err := c.readyz()
		_, says, degraded := strings.Cut(body, "database: degraded")
		return code == http.StatusOK && degraded && strings.Contains(says, cause), err
	})
}

// kill ends the collector with SIGKILL.
func (c *city) kill() {
	c.t.Helper()
	if c.collector.hasExited() {
		c.t.Fatalf("the collector had ended by itself: %v", c.collector.state())
	}
	c.collector.kill()
}

// stop ends the collector with SIGTERM. It must go within the time, with exit
// code 0.
func (c *city) stop(within time.Duration) {
	c.t.Helper()
	begun := time.Now()
	if err := c.collector.terminate(within); err != nil {
		c.t.Fatal(err)
	}
	c.t.Logf("the collector ended %v after SIGTERM", time.Since(begun).Round(time.Millisecond))
}

// get returns what the collector answers.
func (c *city) get(path string) (int, string, error) {
	res, err := c.client.Get("http://" + c.http + path)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

func (c *city) readyz() (code int, body string, err error) { return c.get("/readyz") }

// ledger reads the books from /metrics.
func (c *city) ledger() (ledger, error) {
	code, page, err := c.get("/metrics")
	if err != nil {
		return nil, err
	}
	if code != http.StatusOK {
		return nil, fmt.Errorf("/metrics: %d %s", code, page)
	}
	return parseLedger(strings.NewReader(page))
}

// waitLedger waits until the ledger is as wanted.
func (c *city) waitLedger(what string, is func(ledger) bool) {
	c.t.Helper()
	c.eventually(what, func() (bool, error) {
		l, err := c.ledger()
		return err == nil && is(l), err
	})
}

// waitSettled waits until every reading that the broker has acknowledged to
// the meters is stored and delivered, for as long as something moves. If that
// does not come about, the test has failed, and verify will tell what is
// missing.
func (c *city) waitSettled() {
	c.t.Helper()
	var acked int64
	for _, s := range c.streams {
		acked += s.fleet.Progress().Acknowledged
	}
	var l ledger
	var done int64
	moved := time.Now()
	err := eventually(c.t.Context(), settleWithin, "everything stored", func() (_ bool, err error) {
		if l, err = c.ledger(); err != nil {
			return false, err
		}
		if now := l["messages_decoded"] + l["lines_written"]; now != done {
			done, moved = now, time.Now()
		}
		if time.Since(moved) > happensWithin {
			return false, errors.New("nothing moves any more")
		}
		return l["readings_spooled"] >= acked && l["messages_in_flight"] == 0 && l["lines_pending"] == 0, nil
	})
	if err != nil {
		c.t.Errorf("%v: %d readings are acknowledged; %v", err, acked, l)
	}
}

const (
	happensWithin = 30 * time.Second
	settleWithin  = 3 * time.Minute
)

// eventually fails the test if something does not come about in time.
func (c *city) eventually(what string, done func() (bool, error)) {
	c.t.Helper()
	if err := eventually(c.t.Context(), happensWithin, what, done); err != nil {
		c.t.Fatal(err)
	}
}

func (c *city) must(action string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", action, err)
	}
}

// explain shows, after a failure, what the collector has said.
func (c *city) explain() {
	if l, err := c.ledger(); err == nil {
		c.t.Log(l)
	} else {
		c.t.Logf("no ledger: %v", err)
	}
	c.t.Logf("the collector said at last:\n%s", c.collector.tail())
}

// parseLedger reads the ledger from the text of a /metrics page.
func parseLedger(page io.Reader) (ledger, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page)
	if err != nil {
		return nil, fmt.Errorf("parse metrics: %w", err)
	}
	return newLedger(families)
}
