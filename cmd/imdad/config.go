package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/zone"
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
	}
	if c.DataDir == "" {
		errs = append(errs, errors.New("data_dir: empty; name the folder for spool and quarantine"))
	}
	if len(c.Sources) == 0 {
		errs = append(errs, errors.New("sources: none; leave the key out for the native topics"))
	}
	names := make(map[string]bool)
	for i, s := range c.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		errs = append(errs, configs.Section(key, errors.Join(s.Validate()...)))
		if names[s.Name] {
			errs = append(errs, fmt.Errorf("%s.name: %q is taken by an earlier source", key, s.Name))
		}
		names[s.Name] = true
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

// loadConfig reads the configuration and the registry it names. Relative paths
// in the file are taken from the file's folder. The error lists every mistake
// in all the files.
func loadConfig(path string) (config, *zone.Registry, error) {
	c, _, registry, err := loadDocument(path)
	return c, registry, err
}

// loadDocument is loadConfig for who needs positions in the file as well. The
// document is nil where the file could not be read at all.
func loadDocument(path string) (config, *configs.Document, *zone.Registry, error) {
	c := defaultConfig()
	doc, err := configs.Load(path, &c)
	c.resolve(filepath.Dir(path))
	registry, registryErr := configs.LoadRegistry(c.Cities)
	return c, doc, registry, configs.Join(err, c.placed(registryErr, doc))
}

// placed gives mistakes about a whole city file the place that names it.
func (c *config) placed(err error, doc *configs.Document) error {
	var mistakes configs.Mistakes
	if doc == nil || !errors.As(err, &mistakes) {
		return err
	}
	for i, m := range mistakes {
		if at := slices.Index(c.Cities, m.File); m.Line == 0 && at >= 0 {
			key := fmt.Sprintf("cities[%d]", at)
			mistakes[i] = configs.Mistake{Position: doc.At(key), Message: key + ": " + m.String()}
		}
	}
	return mistakes
}

// resolve makes the file's relative paths relative to its folder.
func (c *config) resolve(dir string) {
	paths := []*string{
		&c.DataDir, &c.HTTP.WebConfig, &c.MQTT.TLS.CA, &c.MQTT.TLS.Cert, &c.MQTT.TLS.Key,
	}
	for i := range c.Cities {
		paths = append(paths, &c.Cities[i])
	}
	for _, p := range paths {
		*p = relativeTo(dir, *p)
	}
	for _, secret := range []*string{&c.MQTT.Password, &c.Influx.Token} {
		if path, ok := strings.CutPrefix(*secret, "file:"); ok {
			*secret = "file:" + relativeTo(dir, path)
		}
	}
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
