package main

import (
	"errors"
	"fmt"
)

type checkCmd struct {
	Config string `required:"" type:"path" help:"The configuration file." placeholder:"FILE"`
}

// Help is shown by imdad check --help.
func (checkCmd) Help() string {
	return `Reads the configuration, the city files and meter lists it names, and resolves its secrets, without connecting anywhere.
Each mistake is one line, FILE:LINE:COLUMN: what is wrong and what was probably meant. Exit code 1 if there is one.`
}

func (c *checkCmd) Run(e *env) error {
	conf, registry, err := loadConfig(c.Config)
	if err == nil {
		err = checkSecrets(conf)
	}
	if err != nil {
		fmt.Fprintln(e.stdout, err)
		return reported{err}
	}
	_, err = fmt.Fprintf(e.stdout, "%s: right; %d cities, %d zones, %d plants, %d meters\n",
		c.Config, len(registry.Cities()), len(registry.Zones()), len(registry.Plants()), len(registry.Meters()))
	return err
}

// checkSecrets resolves every secret, and forgets it.
func checkSecrets(c config) error {
	var errs []error
	for _, s := range []struct{ key, raw string }{{"mqtt.password", c.MQTT.Password}, {"influx.token", c.Influx.Token}} {
		if _, err := secret(s.raw)(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.key, err))
		}
	}
	return errors.Join(errs...)
}
