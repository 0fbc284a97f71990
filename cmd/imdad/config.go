package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting"
	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/forecast"
	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/configs"
)

// config is the service's configuration file. Each section belongs to the
// package that uses it; configs/imdad.yaml is its manual.
type config struct {
	MQTT       mqtt.Config            `yaml:"mqtt"`
	Influx     influx.Config          `yaml:"influx"`
	DataDir    string                 `yaml:"data_dir"`
	HTTP       httpConfig             `yaml:"http"`
	Sources    []decode.Source        `yaml:"sources"`
	Cities     []string               `yaml:"cities"`
	Log        logConfig              `yaml:"log"`
	Spool      spool.Config           `yaml:"spool"`
	Quarantine spool.QuarantineConfig `yaml:"quarantine"`
	Metrics    live.Config            `yaml:"metrics"`
	Supply     live.SupplyConfig      `yaml:"supply"`
	Alerting   alerting.Config        `yaml:"alerting"`
	Alarms     alarm.Config           `yaml:"alarms"`
	Forecast   forecast.Config        `yaml:"forecast"`
	Rules      string                 `yaml:"rules"`  // file; empty: the catalogue's defaults
	People     string                 `yaml:"people"` // file; empty: nobody is told
	Channels   channelsConfig         `yaml:"channels"`
}

type httpConfig struct {
	Listen    string `yaml:"listen"`
	WebConfig string `yaml:"web_config"` // TLS and users, in the format of the Prometheus exporters
}

type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

func defaultConfig() config {
	return config{
		MQTT:       mqtt.DefaultConfig(),
		Influx:     influx.DefaultConfig(),
		DataDir:    "./data",
		HTTP:       httpConfig{Listen: "127.0.0.1:8080"},
		Sources:    []decode.Source{{Name: "native", Topics: []string{"imdad/v1/#"}, Profile: "imdad"}},
		Log:        logConfig{Level: "info", Format: "auto"},
		Spool:      spool.DefaultConfig(),
		Quarantine: spool.DefaultQuarantineConfig(),
		Metrics:    live.DefaultConfig(),
		Supply:     live.DefaultSupplyConfig(),
		Alerting:   alerting.DefaultConfig(),
		Alarms:     alarm.DefaultConfig(),
		Forecast:   forecast.DefaultConfig(),
		Channels:   defaultChannels(),
	}
}

// Validate reports every mistake, each beginning with its key.
func (c *config) Validate() error {
	errs := []error{
		configs.Section("mqtt", c.MQTT.Validate()),
		configs.Section("influx", c.Influx.Validate()),
		configs.Section("http", c.HTTP.validate()),
		configs.Section("log", c.Log.validate()),
		configs.Section("spool", c.Spool.Validate()),
		configs.Section("quarantine", c.Quarantine.Validate()),
		configs.Section("metrics", c.Metrics.Validate()),
		configs.Section("supply", c.Supply.Validate()),
		configs.Section("alerting", c.Alerting.Validate()),
		configs.Section("alarms", c.Alarms.Validate()),
		configs.Section("forecast", c.Forecast.Validate()),
		configs.Section("channels", c.Channels.Validate()),
	}
	if c.DataDir == "" {
		errs = append(errs, errors.New("data_dir: empty; name the folder for spool and quarantine"))
	}
	if len(c.Sources) == 0 {
		errs = append(errs, errors.New("sources: none; leave the key out for the native topics"))
	}
	names, host := make(map[string]bool), ""
	for i, s := range c.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		errs = append(errs, configs.Section(key, errors.Join(s.Validate()...)))
		if names[s.Name] {
			errs = append(errs, fmt.Errorf("%s.name: %q is taken by an earlier source", key, s.Name))
		}
		names[s.Name] = true
		if s.Host != "" && host != "" && s.Host != host {
			errs = append(errs, fmt.Errorf("%s.host: %q; an earlier source has %q, and one service can be one host only", key, s.Host, host))
		}
		host = cmp.Or(host, s.Host)
		if s.Profile == "sparkplug-b" && c.MQTT.Share != "" {
			errs = append(errs, fmt.Errorf("%s.profile: sparkplug-b needs all messages of a node in their order, which mqtt.share does not give; leave share out", key))
		}
	}
	return errors.Join(errs...)
}

func (c httpConfig) validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: %q is not HOST:PORT; write 127.0.0.1:8080, or :8080 to be reached from elsewhere", c.Listen)
	}
	return nil
}

func (c logConfig) validate() error {
	var errs []error
	if _, err := zerolog.ParseLevel(c.Level); err != nil || c.Level == "" {
		errs = append(errs, fmt.Errorf("level: unknown level %q; use debug, info, warn or error", c.Level))
	}
	switch c.Format {
	case "auto", "console", "json":
	default:
		errs = append(errs, fmt.Errorf("format: unknown format %q; use auto, console or json", c.Format))
	}
	return errors.Join(errs...)
}

// resolve makes the file's relative paths relative to its folder.
func (c *config) resolve(dir string) {
	paths := []*string{
		&c.DataDir, &c.HTTP.WebConfig, &c.MQTT.TLS.CA, &c.MQTT.TLS.Cert, &c.MQTT.TLS.Key, &c.Rules, &c.People,
		&c.Channels.Email.CA, &c.Channels.MQTT.TLS.CA, &c.Channels.MQTT.TLS.Cert, &c.Channels.MQTT.TLS.Key,
	}
	for i := range c.Cities {
		paths = append(paths, &c.Cities[i])
	}
	for _, p := range paths {
		*p = relativeTo(dir, *p)
	}
	for _, secret := range append(c.Channels.secrets(), &c.MQTT.Password, &c.Influx.Token) {
		*secret = resolveSecret(dir, *secret)
	}
	for name, hook := range c.Channels.Webhooks {
		hook.Secret = resolveSecret(dir, hook.Secret)
		c.Channels.Webhooks[name] = hook
	}
}

func resolveSecret(dir, raw string) string {
	if path, ok := strings.CutPrefix(raw, "file:"); ok {
		return "file:" + relativeTo(dir, path)
	}
	return raw
}

func relativeTo(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// secret returns a function that reads the secret anew at each call.
func secret(raw string) func() (string, error) {
	return func() (string, error) { return configs.Secret(raw) }
}
