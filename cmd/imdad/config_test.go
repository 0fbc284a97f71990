package main

import (
	"encoding"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/configs"
)

const manual = "../../configs/imdad.yaml"

// The commented file is the manual: it must show every key, and every default
// as the code has it.
func TestManualShowsEveryDefault(t *testing.T) {
	t.Parallel()
	var file unchecked
	doc, err := configs.Load(manual, &file)
	if err != nil {
		t.Fatal(err)
	}
	stated := config(file)
	defaults := defaultConfig()
	// These have no default; the manual shows an example.
	defaults.MQTT.Brokers, defaults.MQTT.ClientID = stated.MQTT.Brokers, stated.MQTT.ClientID
	defaults.Influx.URL, defaults.Influx.Bucket = stated.Influx.URL, stated.Influx.Bucket
	defaults.Cities = []string{}
	c := &defaults.Channels
	c.SMS.Headers, c.SMS.Retry, c.MQTT.Brokers, c.Alertmanager.URLs = map[string]string{}, []int{}, []string{}, []string{}
	if !reflect.DeepEqual(stated, defaults) {
		t.Errorf("the manual says\n%+v\nthe code\n%+v", stated, defaults)
	}
	for _, key := range keys(reflect.TypeFor[config](), "") {
		if !doc.Has(key) {
			t.Errorf("the manual does not show %s", key)
		}
	}
	if err := defaults.Validate(); err != nil {
		t.Errorf("the manual's configuration is not valid: %v", err)
	}
}

// Of a source, the manual shows each key in a comment.
func TestManualShowsEveryKeyOfASource(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "\n# sources:")
	block, _, _ = strings.Cut(block, "\n\n")
	for _, of := range []reflect.Type{reflect.TypeFor[decode.Source](), reflect.TypeFor[decode.Register](), reflect.TypeFor[decode.Mapping]()} {
		for _, key := range keys(of, "") {
			if !regexp.MustCompile(`[ {]` + key + `: `).MatchString(block) {
				t.Errorf("the manual shows no source with the key %s", key)
			}
		}
	}
}

// unchecked is a config without its Validate, to read the file as it stands.
type unchecked config

// keys lists the paths of a struct's keys.
func keys(t reflect.Type, prefix string) []string {
	var out []string
	for i := range t.NumField() {
		key := prefix + t.Field(i).Tag.Get("yaml")
		out = append(out, key)
		field := t.Field(i).Type
		if field.Kind() == reflect.Struct && !reflect.PointerTo(field).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
			out = append(out, keys(field, key+".")...)
		}
	}
	return out
}

func TestRelativePaths(t *testing.T) {
	t.Parallel()
	c := defaultConfig()
	c.Cities = []string{"cities/a.yaml", "/abs/b.yaml"}
	c.MQTT.Password, c.Influx.Token = "file:secret", "file:/abs/token"
	c.MQTT.TLS.CA = "ca.pem"
	c.resolve("/etc/imdad")
	got := strings.Join([]string{c.DataDir, c.Cities[0], c.Cities[1], c.MQTT.Password, c.Influx.Token, c.MQTT.TLS.CA, c.HTTP.WebConfig}, " ")
	want := "/etc/imdad/data /etc/imdad/cities/a.yaml /abs/b.yaml file:/etc/imdad/secret file:/abs/token /etc/imdad/ca.pem "
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestChangedSections(t *testing.T) {
	t.Parallel()
	a, b := defaultConfig(), defaultConfig()
	b.Cities = []string{"x"}
	if got := changedSections(a, b); len(got) != 0 {
		t.Errorf("cities alone: %v needs a restart", got)
	}
	b.MQTT.ClientID, b.Log.Level = "x", "debug"
	if got := strings.Join(changedSections(a, b), " "); got != "mqtt log" {
		t.Errorf("got %q, want mqtt log", got)
	}
}

func TestSparkplugSourcesFitTogether(t *testing.T) {
	t.Parallel()
	source := func(name, host string) decode.Source {
		return decode.Source{Name: name, Topics: []string{"spBv1.0/{zone}/#"}, Profile: "sparkplug-b", Host: host}
	}
	tests := []struct {
		name    string
		share   string
		sources []decode.Source
		want    string // empty: no mistake
	}{
		{"one host", "", []decode.Source{source("a", "h"), source("b", "h"), source("c", "")}, ""},
		{"two hosts", "", []decode.Source{source("a", "h"), source("b", "i")}, "sources[1].host: "},
		{"a shared subscription", "g", []decode.Source{source("a", "")}, "sources[0].profile: sparkplug-b needs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := defaultConfig()
			c.MQTT.Brokers, c.MQTT.ClientID, c.MQTT.Share = []string{"tcp://127.0.0.1:1883"}, "imdad", tt.share
			c.Influx.URL, c.Influx.Bucket = "http://127.0.0.1:8086", "utility"
			c.Sources = tt.sources
			err := c.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
