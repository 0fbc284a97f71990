package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/configs"
)

// decidingKind is the rule of the part latency: without delays, and of what no simulated meter ever says.
const (
	decidingKind = "bench.frequency"
	decidingHz   = 41.5
	decidingRule = `custom:
  - id: ` + decidingKind + `
    for_each: plant
    when: frequency_hz < 45
    severity: high
    to: [plant]
    text: {en: "Frequency at {site}: {frequency_hz} Hz", ar: "التردد في {site}: {frequency_hz} هرتز"}
`
)

// configure writes the rules and people, one for each plant that decides, and returns what the service's configuration
// needs besides.
func (l *latency) configure() (string, error) {
	var people strings.Builder
	people.WriteString("routes: [{name: bench, kinds: [" + decidingKind + "], roles: [plant]}]\npeople:\n")
	for _, d := range l.decided {
		fmt.Fprintf(&people, "  - {id: %s, name: {en: x, ar: س}, role: plant, plants: [%s], contacts: {sms: %q}}\n", d.person, d.plant, number(d.person))
	}
	for name, text := range map[string]string{"people.yaml": people.String(), "rules.yaml": decidingRule} {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("rules: rules.yaml\npeople: people.yaml\nchannels:\n  sms: {url: %q}\n  webhooks: {bench: {url: %q, secret: bench-secret-0123456789}}\n",
		l.receiver.server.URL+"/sms", l.receiver.server.URL+"/webhook"), nil
}

// number is a telephone number of a person.
func number(person string) string {
	var n int
	if _, err := fmt.Sscanf(person, "person-%d", &n); err != nil {
		panic(err) // we have named them
	}
	return fmt.Sprintf("+9639%08d", n)
}

// receiver is an SMS gateway and a webhook's receiver, which note when the first notice came for a person or of a plant.
type receiver struct {
	server *httptest.Server

	mu     sync.Mutex
	firsts map[string]time.Time
}

func newReceiver() *receiver {
	r := &receiver{firsts: make(map[string]time.Time)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sms", r.sms)
	mux.HandleFunc("POST /webhook", r.webhook)
	r.server = httptest.NewServer(mux)
	return r
}

// during works, and then closes the receiver.
func (r *receiver) during(work func() error) error {
	defer r.server.Close()
	return work()
}

func (r *receiver) sms(w http.ResponseWriter, req *http.Request) {
	var message struct {
		To string `json:"to"`
	}
	if err := json.NewDecoder(req.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.note(message.To)
}

func (r *receiver) webhook(w http.ResponseWriter, req *http.Request) {
	var payload struct {
		Alarms []struct {
			Kind   string `json:"kind"`
			Object string `json:"object"`
		} `json:"alarms"`
	}
	if err := json.NewDecoder(req.Body).Decode(&payload); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, a := range payload.Alarms {
		if a.Kind == decidingKind {
			r.note(a.Object)
		}
	}
}

func (r *receiver) note(key string) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.firsts[key]; !known {
		r.firsts[key] = now
	}
}

// first returns when the first notice came to a person or of a plant.
func (r *receiver) first(key string) (time.Time, bool) {
	if strings.HasPrefix(key, "person-") {
		key = number(key)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.firsts[key]
	return at, ok
}

// count is how many notices have come, the first for each key.
func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.firsts)
}

// wholeFleet is a fleet whose registry file has every copy of the network too, so that each meter measures an object of
// its own.
func (b *bench) wholeFleet(dir string, meters int) (*fleet, error) {
	shipped, err := configs.ShippedRegistry(city)
	if err != nil {
		return nil, err
	}
	registry, err := metersim.Scale(shipped, meters)
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "city")
	f := &fleet{meters: meters, registry: registry, file: filepath.Join(dir, "city.yaml")}
	return f, errors.Join(os.Mkdir(dir, 0o755), describe(f.file, registry, registry.Meters()))
}
