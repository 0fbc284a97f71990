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
	return `Reads the configuration, the city files and meter lists it names, its secrets and certificates, without connecting anywhere.
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

// checkBeside reads what the service reads only when it connects: secrets,
// which are forgotten at once, and certificates.
func checkBeside(c config, doc *configs.Document) error {
	var mistakes configs.Mistakes
	type part struct {
		key  string
		read func() error
	}
	parts := []part{
		{"mqtt.password", func() error { return readable(c.MQTT.Password) }},
		{"mqtt.tls", c.MQTT.TLS.Check},
		{"influx.token", func() error { return readable(c.Influx.Token) }},
		{"http.web_config", func() error { return web.Validate(c.HTTP.WebConfig) }},
	}
	for _, ch := range c.Channels.all() {
		if ch.used {
			parts = append(parts, part{"channels." + ch.key, func() error { return readable(ch.secret) }})
		}
	}
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

func readable(raw string) error {
	_, err := secret(raw)()
	return err
}
