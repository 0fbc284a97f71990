package configs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample has a field of each kind the loader reads.
type sample struct {
	DataDir string            `yaml:"data_dir"`
	MQTT    sampleMQTT        `yaml:"mqtt"`
	Sources []sampleSource    `yaml:"sources"`
	Cities  []string          `yaml:"cities"`
	Labels  map[string]string `yaml:"labels"`
	Limits  map[string]int    `yaml:"limits"`
	Log     *sampleLog        `yaml:"log"`
	Ratio   float64           `yaml:"ratio"`
	Port    uint16            `yaml:"port"`
	Gzip    size              `yaml:"gzip"`
	Hidden  string
	Ignored string `yaml:"-"`
}

type sampleMQTT struct {
	Brokers     []string      `yaml:"brokers"`
	ClientID    string        `yaml:"client_id"`
	Connections int           `yaml:"connections"`
	KeepAlive   time.Duration `yaml:"keep_alive"`
	Clean       bool          `yaml:"clean"`
}

type sampleSource struct {
	Name   string   `yaml:"name"`
	Topics []string `yaml:"topics"`
}

type sampleLog struct {
	Level string `yaml:"level"`
}

// size reads itself, in bytes.
type size int64

func (s *size) UnmarshalText(text []byte) error {
	var n int64
	var unit string
	if _, err := fmt.Sscanf(string(text), "%d%s", &n, &unit); err != nil || unit != "KiB" {
		return fmt.Errorf("bad size %q; write it like 10KiB", text)
	}
	*s = size(n << 10)
	return nil
}

func defaultSample() sample {
	return sample{
		DataDir: "./data",
		MQTT:    sampleMQTT{Brokers: []string{"tcp://127.0.0.1:1883"}, ClientID: "imdad", Connections: 1, KeepAlive: 30 * time.Second},
		Limits:  map[string]int{"meters": 5},
	}
}

// Validate speaks as a root config does: its own keys plus a section's.
func (s *sample) Validate() error {
	var errs []error
	if s.DataDir == "" {
		errs = append(errs, errors.New("data_dir: must not be empty"))
	}
	errs = append(errs, Section("mqtt", s.MQTT.validate()))
	for i, src := range s.Sources {
		if len(src.Topics) == 0 {
			errs = append(errs, fmt.Errorf("sources[%d].topics: give at least one topic filter", i))
		}
	}
	return errors.Join(errs...)
}

func (m *sampleMQTT) validate() error {
	var errs []error
	for i, b := range m.Brokers {
		if !strings.HasPrefix(b, "tcp://") {
			errs = append(errs, fmt.Errorf("brokers[%d]: unknown scheme in %q; use tcp", i, b))
		}
	}
	if m.ClientID == "" {
		errs = append(errs, errors.New("client_id: must not be empty"))
	}
	if m.Connections < 1 {
		errs = append(errs, errors.New("connections: must be 1 or more"))
	}
	return errors.Join(errs...)
}

func TestLoadFillsFields(t *testing.T) {
	t.Parallel()
	def := defaultSample()
	with := func(change func(*sample)) sample {
		s := defaultSample()
		change(&s)
		return s
	}
	tests := []struct {
		name, text string
		want       sample
	}{
		{"one key, the rest stays", "data_dir: /var/lib/imdad", with(func(s *sample) { s.DataDir = "/var/lib/imdad" })},
		{"section with all lines commented out", "mqtt:\n#  clean: true\n", def},
		{"nested key keeps its neighbours", "mqtt: {clean: true}", with(func(s *sample) { s.MQTT.Clean = true })},
		{"duration", "mqtt: {keep_alive: 1m30s}", with(func(s *sample) { s.MQTT.KeepAlive = 90 * time.Second })},
		{"quoted duration", `mqtt: {keep_alive: "2s"}`, with(func(s *sample) { s.MQTT.KeepAlive = 2 * time.Second })},
		{"a list replaces the default", "mqtt: {brokers: [\"tcp://b:1\"]}", with(func(s *sample) { s.MQTT.Brokers = []string{"tcp://b:1"} })},
		{"an empty list", "mqtt:\n  brokers: []\n", with(func(s *sample) { s.MQTT.Brokers = []string{} })},
		{"a map adds to the default", "limits: {lines: 7}", with(func(s *sample) { s.Limits = map[string]int{"meters": 5, "lines": 7} })},
		{"a map from nothing", "labels:\n  office: حلب\n", with(func(s *sample) { s.Labels = map[string]string{"office": "حلب"} })},
		{"pointer", "log: {level: debug}", with(func(s *sample) { s.Log = &sampleLog{"debug"} })},
		{"float", "ratio: -1.5e3", with(func(s *sample) { s.Ratio = -1500 })},
		{"integer into float", "ratio: 2", with(func(s *sample) { s.Ratio = 2 })},
		{"unsigned", "port: 65535", with(func(s *sample) { s.Port = 65535 })},
		{"type that reads itself", "gzip: 10KiB", with(func(s *sample) { s.Gzip = 10240 })},
		{"digits as text keep their zeros", "data_dir: 0042", with(func(s *sample) { s.DataDir = "0042" })},
		{"words that look like booleans", "data_dir: true", with(func(s *sample) { s.DataDir = "true" })},
		{"no is text, not false", "data_dir: no", with(func(s *sample) { s.DataDir = "no" })},
		{"literal block", "data_dir: |-\n  a\n  b\n", with(func(s *sample) { s.DataDir = "a\nb" })},
		{"escapes", `data_dir: "a\tb"`, with(func(s *sample) { s.DataDir = "a\tb" })},
		{"document marker", "---\ndata_dir: x\n...\n", with(func(s *sample) { s.DataDir = "x" })},
		{"byte order mark and CRLF", "\ufeffdata_dir: x\r\nratio: 1\r\n", with(func(s *sample) { s.DataDir, s.Ratio = "x", 1 })},
		{"list of structs", "sources:\n- name: a\n  topics: [x/#, y/#]\n", with(func(s *sample) {
			s.Sources = []sampleSource{{"a", []string{"x/#", "y/#"}}}
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := defaultSample()
			if _, err := parseText("x.yaml", []byte(tt.text), &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none.yaml")
	_, err := Load(path, new(sample))
	if want := path + ": cannot open: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLoadTooLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(path, make([]byte, maxYAML+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path, new(sample))
	if want := path + ": larger than 2 MiB; split it"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDocumentPositions(t *testing.T) {
	t.Parallel()
	text := "# head\nmqtt:\n  brokers:\n    - tcp://a:1\n    - tcp://b:1\nsources: [{name: a, topics: [x]}]\n"
	s := defaultSample()
	doc, err := parseText("x.yaml", []byte(text), &s)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path, want string
		has        bool
	}{
		{"mqtt", "x.yaml:2:1", true},
		{"mqtt.brokers", "x.yaml:3:3", true},
		{"mqtt.brokers[1]", "x.yaml:5:7", true},
		{"mqtt.brokers[2]", "x.yaml:3:3", false},
		{"mqtt.clean", "x.yaml:2:1", false},
		{"sources[0].topics[0]", "x.yaml:6:30", true},
		{"ratio", "x.yaml:2:1", false},
		{"", "x.yaml:2:1", false},
		{"no path at all", "x.yaml:2:1", false},
	}
	for _, tt := range tests {
		if got := doc.At(tt.path).String(); got != tt.want {
			t.Errorf("At(%q) = %s, want %s", tt.path, got, tt.want)
		}
		if got := doc.Has(tt.path); got != tt.has {
			t.Errorf("Has(%q) = %v, want %v", tt.path, got, tt.has)
		}
	}
}

// parseText is Load for text that is already in memory; file is the name that
// positions carry.
func parseText(file string, text []byte, into any) (*Document, error) {
	s, ms := newSource(file, text)
	if ms != nil {
		return nil, ms.err()
	}
	doc, ms, _ := load(s, into)
	return doc, ms.err()
}
