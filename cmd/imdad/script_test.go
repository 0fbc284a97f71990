package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

// patience bounds every wait for a condition.
const patience = 60 * time.Second

// TestScripts runs the program itself, script by script. A script starts the
// servers that it needs with the commands below.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			root, err := filepath.Abs("../..")
			e.Setenv("REPO", root)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":           exits,
			"broker":          startBrokerFor,
			"database":        startDatabaseFor,
			"free-addr":       freeAddr,
			"hold":            hold,
			"expand":          expand,
			"addr":            addr,
			"send":            send,
			"keep":            keep,
			"signal":          signalBackground,
			"await-file":      awaitFile,
			"await-http":      awaitHTTP,
			"await-query":     awaitQuery,
			"await-alarm":     awaitAlarm,
			"balanced":        balanced,
			"fill-quarantine": fillQuarantine,
		},
	})
}

// usage fails the script unless its command has the right number of arguments.
func usage(ts *testscript.TestScript, neg bool, args []string, n int, text string) {
	if neg || len(args) != n {
		ts.Fatalf("usage: %s", text)
	}
}

func await(ts *testscript.TestScript, what string, done func() (bool, error)) {
	ts.Check(eventually(context.Background(), patience, what, done))
}

// exits CODE PROGRAM ARGS... runs a program that must end with this code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%v: exit code %d, want %s", args[1:], code, args[0])
	}
}

// startBrokerFor starts Mosquitto and puts its HOST:PORT into $BROKER; after
// `free-addr BROKER` it takes that one.
func startBrokerFor(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "broker")
	dir := ts.MkAbs("broker")
	ts.Check(os.MkdirAll(dir, 0o755))
	p, err := peers.StartMosquitto(context.Background(), peers.MosquittoOptions{Dir: dir, Addr: ts.Getenv("BROKER")})
	ts.Check(err)
	ts.Defer(func() { _ = p.Kill() }) // the script is over, and its folder goes
	ts.Setenv("BROKER", p.Addr())
}

// startDatabaseFor starts InfluxDB and puts its HOST:PORT into $INFLUX.
func startDatabaseFor(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "database")
	dir := ts.MkAbs("influxdb")
	ts.Check(os.MkdirAll(dir, 0o755))
	p, err := peers.StartInfluxDB(context.Background(), peers.InfluxDBOptions{Dir: dir, Addr: ts.Getenv("INFLUX")})
	ts.Check(err)
	ts.Defer(func() { _ = p.Kill() }) // the script is over, and its folder goes
	ts.Setenv("INFLUX", p.Addr())
}

// freeAddr NAME puts a HOST:PORT at which nobody listens into $NAME.
func freeAddr(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "free-addr NAME")
	a, err := peers.FreeAddr()
	ts.Check(err)
	ts.Setenv(args[0], a)
}

// hold HOST:PORT... makes sure that these ports are taken while the script runs.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	for _, a := range args {
		l, err := net.Listen("tcp", a)
		switch {
		case errors.Is(err, syscall.EADDRINUSE): // somebody else has it: as good
		case err != nil:
			ts.Fatalf("hold %s: %v", a, err)
		default:
			ts.Defer(func() { _ = l.Close() })
		}
	}
}

// expand FILE replaces $NAME in a file by the script's variables.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "expand FILE")
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// addr FILE KEY NAME waits for the address file and puts the address called
// KEY into $NAME.
func addr(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "addr FILE KEY NAME")
	path := ts.MkAbs(args[0])
	await(ts, args[0], func() (bool, error) {
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		for line := range strings.Lines(string(text)) {
			if a, ok := strings.CutPrefix(strings.TrimSpace(line), args[1]+"="); ok {
				ts.Setenv(args[2], a)
				return true, err
			}
		}
		return false, errors.Join(err, fmt.Errorf("no %s in %q", args[1], text))
	})
}

// send TOPIC PAYLOAD publishes one message with QoS 1 at $BROKER; NOW in the
// payload stands for the time in milliseconds.
func send(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "send TOPIC PAYLOAD")
	publish(ts, args[0], args[1], false)
}

// keep TOPIC PAYLOAD is send, and the broker keeps the message for whoever
// comes.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "keep TOPIC PAYLOAD")
	publish(ts, args[0], args[1], true)
}

func publish(ts *testscript.TestScript, topic, payload string, retained bool) {
	o := paho.NewClientOptions().AddBroker("tcp://" + ts.Getenv("BROKER")).SetClientID("script")
	c := paho.NewClient(o)
	token := c.Connect()
	token.Wait()
	ts.Check(token.Error())
	payload = strings.ReplaceAll(payload, "NOW", strconv.FormatInt(time.Now().UnixMilli(), 10))
	token = c.Publish(topic, 1, retained, payload)
	token.Wait()
	ts.Check(token.Error())
	c.Disconnect(100)
}

// signalBackground NAME sends a signal to the one program in the background.
func signalBackground(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "signal HUP|INT|TERM")
	signals := map[string]os.Signal{"HUP": syscall.SIGHUP, "INT": os.Interrupt, "TERM": syscall.SIGTERM}
	running := ts.BackgroundCmds()
	if len(running) != 1 || signals[args[0]] == nil {
		ts.Fatalf("signal %s: %d programs in the background", args[0], len(running))
	}
	ts.Check(running[0].Process.Signal(signals[args[0]]))
}

// awaitFile FILE REGEXP waits until a line of a file matches.
func awaitFile(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "await-file FILE REGEXP")
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var text []byte
	err = eventually(context.Background(), patience, args[1], func() (bool, error) {
		text, err = os.ReadFile(ts.MkAbs(args[0]))
		return pattern.Match(text), err
	})
	if err != nil {
		ts.Fatalf("%v; %s holds\n%s", err, args[0], text)
	}
}

// awaitHTTP CODE URL REGEXP waits for such an answer.
func awaitHTTP(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "await-http CODE URL REGEXP")
	pattern, err := regexp.Compile("(?m)" + args[2])
	ts.Check(err)
	var last string
	err = eventually(context.Background(), patience, args[1], func() (bool, error) {
		code, body, err := get(args[1])
		last = fmt.Sprintf("%d %v\n%s", code, err, body)
		return strconv.Itoa(code) == args[0] && pattern.MatchString(body), nil
	})
	if err != nil {
		ts.Fatalf("%v; the last answer was %s", err, last)
	}
}

// awaitQuery INFLUXQL REGEXP waits for such an answer of the database utility
// at $INFLUX.
func awaitQuery(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "await-query INFLUXQL REGEXP")
	query := url.Values{"db": {databaseName}, "q": {args[0]}}
	awaitHTTP(ts, false, []string{"200", "http://" + ts.Getenv("INFLUX") + "/query?" + query.Encode(), args[1]})
}

// awaitAlarm ID FLAGS... waits until imdad alarms list has it.
func awaitAlarm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await-alarm ID FLAGS...")
	}
	await(ts, args[0], func() (bool, error) {
		err := ts.Exec("imdad", append([]string{"alarms", "list", "--json"}, args[1:]...)...)
		return strings.Contains(ts.ReadFile("stdout"), `{"id":"`+args[0]+`"`), err
	})
}

// get reads a page on a connection of its own.
func get(target string) (code int, body string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, target, nil)
	if err != nil {
		return 0, "", err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// balanced FILE checks that a file, or stdout, ends with a ledger line that
// balances and is not empty.
func balanced(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "balanced FILE")
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	last := lines[len(lines)-1]
	l, err := parseLedgerLine(last)
	ts.Check(err)
	if problems := l.problems(); len(problems) > 0 {
		ts.Fatalf("%s: %v", last, problems)
	}
	if l["readings_spooled"] == 0 || l["lines_written"] != l["readings_spooled"]+l["lines_derived"]+l["lines_alarm"] || l["quarantine_entries"] != 0 {
		ts.Fatalf("%s: nothing written, or not everything", last)
	}
}

// parseLedgerLine reads what ledger.String wrote.
func parseLedgerLine(line string) (ledger, error) {
	fields := strings.Fields(line)
	if len(fields) != len(entries)+1 || fields[0] != "ledger" {
		return nil, fmt.Errorf("%q is no ledger line of %d entries", line, len(entries))
	}
	l := make(ledger)
	for i, f := range fields[1:] {
		name, value, _ := strings.Cut(f, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || name != entries[i].name {
			return nil, fmt.Errorf("%q: want %s=N", f, entries[i].name)
		}
		l[name] = n
	}
	return l, nil
}

// fillQuarantine DIR makes a spool there, with one entry of each kind that the
// command line has to show.
func fillQuarantine(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "fill-quarantine DIR")
	at := time.Date(2026, 11, 23, 8, 15, 0, 0, time.UTC)
	s, err := spool.Open(context.Background(), spool.Options{
		Dir: ts.MkAbs(args[0]), Config: spool.DefaultConfig(), Quarantine: spool.QuarantineConfig{MaxBytes: spool.MiB},
		FingerprintBytes: 1 << 20, Now: func() time.Time { return at }, Log: zerolog.Nop(),
	})
	ts.Check(err)
	received := at.Add(-time.Second).UnixMilli()
	err = s.Append(context.Background(), &spool.Batch{
		Quarantine: []spool.Entry{
			{Kind: spool.KindMessage, Topic: "imdad/v1/z/water/w1", Payload: []byte(`{"ts":1795421700000,"values":{"flow_m3h":12.5}}`),
				QoS: 1, Received: received, Reason: "no_source", Detail: "no source has a filter for it"},
			{Kind: spool.KindMessage, Topic: "imdad/v1/z/water/w1", Payload: []byte("\xff\x00\n\x1b"),
				QoS: 1, Retained: true, Received: received, Reason: "not_utf8", Detail: "the payload is not UTF-8"},
			{Kind: spool.KindLine, Payload: []byte("water,city=c,zone=z,meter=w2 flow_m3h=3,quality=0i 1795421700000"),
				Reason: "refused", Detail: "field type conflict"},
			{Kind: spool.KindMessage, Topic: "imdad/v1/\x1b[2J/water/w1", Payload: []byte("{"),
				Received: received, Reason: "bad_name", Detail: "zone \x1b[2J"},
			{Kind: spool.KindMessage, Topic: "imdad/v1/z/fuel/big", Payload: bytes.Repeat([]byte("x"), 300<<10),
				QoS: 1, Received: received, Reason: "too_large", Detail: "307200 bytes"},
		},
		Ledger: spool.Ledger{MessagesQuarantined: 4},
	})
	ts.Check(errors.Join(err, s.Close()))
}
