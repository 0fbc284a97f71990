package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"metersim": main})
}

// TestScripts runs the program itself. Each script has a broker of its own at
// $BROKER.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			dir := filepath.Join(e.WorkDir, "broker")
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			b, err := peers.StartMosquitto(t.Context(), peers.MosquittoOptions{Dir: dir})
			if err != nil {
				return err
			}
			e.Defer(func() {
				if err := b.Stop(); err != nil {
					t.Error(err)
				}
			})
			e.Setenv("BROKER", "tcp://"+b.Addr())
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"acknowledged": acknowledged,
			"published":    published,

			"await-messages": awaitMessages,
		},
	})
}

// acknowledged FILE N checks that a truth file holds N messages, all of them
// acknowledged.
func acknowledged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: acknowledged FILE N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var l struct {
			Acked bool `json:"acked"`
		}
		ts.Check(json.Unmarshal([]byte(line), &l))
		if !l.Acked {
			ts.Fatalf("not acknowledged: %s", line)
		}
		n++
	}
	if n != want {
		ts.Fatalf("%d messages, want %d", n, want)
	}
}

// published FILE checks that the summary just printed and a truth file agree,
// and that there was something to sum up.
func published(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: published FILE")
	}
	n := strings.Count(ts.ReadFile(args[0]), "\n")
	want := fmt.Sprintf("published %d, acknowledged %d ", n, n)
	if out := ts.ReadFile("stdout"); n == 0 || !strings.HasPrefix(out, want) {
		ts.Fatalf("summary %q, but %d lines of truth", out, n)
	}
}

// await-messages N waits until N messages have come through the broker.
func awaitMessages(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await-messages N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	came := make(chan struct{}, 1024)
	client := paho.NewClient(paho.NewClientOptions().AddBroker(ts.Getenv("BROKER")).SetClientID("watcher").
		SetDefaultPublishHandler(func(paho.Client, paho.Message) {
			select {
			case came <- struct{}{}:
			default: // more than enough
			}
		}))
	token := client.Connect()
	token.Wait()
	ts.Check(token.Error())
	defer client.Disconnect(1000)
	token = client.Subscribe("imdad/v1/#", 0, nil)
	token.Wait()
	ts.Check(token.Error())
	deadline := time.After(30 * time.Second)
	for n := 0; n < want; n++ {
		select {
		case <-came:
		case <-deadline:
			ts.Fatalf("%d messages within 30 s, want %d", n, want)
		}
	}
}
