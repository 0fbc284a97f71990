package main

import (
	"fmt"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/imdad-telemetry/imdad/configs"
)

type checkCmd struct {
	Config string `required:"" help:"The configuration file." placeholder:"FILE"`
}

// Help is shown by imdad check --help.
func (checkCmd) Help() string {
	return `Reads the configuration and all that it names: city files and meter lists, rules, people, secrets, certificates. It connects nowhere.
Each mistake is one line, FILE:LINE:COLUMN: what is wrong and what was probably meant. Exit code 1 if there is one.`
}

func (c *checkCmd) Run(e *env) error {
	s, doc, err := loadDocument(c.Config)
	if doc != nil {
		err = configs.Join(err, checkBeside(s.config, doc))
	}
	if err != nil {
		fmt.Fprintln(e.stdout, err)
		return reported{err}
	}
	_, err = fmt.Fprintf(e.stdout, "%s: right; %d cities, %d zones, %d plants, %d meters, %d people\n",
		c.Config, len(s.registry.Cities()), len(s.registry.Zones()), len(s.registry.Plants()), len(s.registry.Meters()), len(s.people.People))
	return err
}

// beside is what the service reads only when it connects, and the key that
// names it.
type beside struct {
	key  string
	read func() error
}

// checkBeside reads secrets, which are forgotten at once, and certificates.
func checkBeside(c config, doc *configs.Document) error {
	parts := []beside{
		{"mqtt.password", secretCheck(c.MQTT.Password)},
		{"mqtt.tls", c.MQTT.TLS.Check},
		{"influx.token", secretCheck(c.Influx.Token)},
		{"http.web_config", func() error { return web.Validate(c.HTTP.WebConfig) }},
	}
	for _, ch := range c.Channels.all() {
		for _, part := range ch.beside {
			if ch.used {
				parts = append(parts, beside{"channels." + ch.key + "." + part.key, part.read})
			}
		}
	}
	var mistakes configs.Mistakes
	for _, part := range parts {
		if err := part.read(); err != nil {
			mistakes = append(mistakes, configs.Mistake{Position: doc.At(part.key), Message: part.key + ": " + err.Error()})
		}
	}
	if len(mistakes) == 0 {
		return nil
	}
	return mistakes
}

// secretCheck reads a secret and says why it cannot be.
func secretCheck(raw string) func() error {
	return func() error {
		_, err := secret(raw)()
		return err
	}
}
