package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

type runCmd struct {
	Config   string `required:"" help:"The configuration file; configs/imdad.yaml explains every key." placeholder:"FILE"`
	AddrFile string `type:"path" help:"Write the addresses in use to this file, one NAME=HOST:PORT a line." placeholder:"FILE"`
	clockFlags
}

// Help is shown by imdad run --help.
func (runCmd) Help() string {
	return `Readings are acknowledged to the broker once they are on disk under data_dir, and written to the database from there.
SIGHUP, or a change of a file of cities, rules or people, puts them in force anew; a wrong file changes nothing.
SIGTERM takes nothing more, stores what has arrived, and ends; what the database has not taken yet waits for the next start.`
}

func (r *runCmd) Run(e *env) error {
	now := r.clock()
	c, err := loadSetup(r.Config)
	if err != nil {
		fmt.Fprintln(e.stderr, err)
		return reported{err}
	}
	// Reading the files has left many times their size behind.
	debug.FreeOSMemory()
	log := newLogger(e.stderr, c.Log, now)
	s, err := newService(e.ctx, serviceOptions{setup: c, now: now, log: log})
	if err != nil {
		return err
	}
	if r.AddrFile != "" {
		if err := writeAddresses(r.AddrFile, "http="+s.http.Addr()); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	log.Info().Str("version", version).Str("http", s.http.Addr()).Strs("brokers", c.MQTT.Brokers).
		Str("database", c.Influx.URL).Msg("imdad is up")
	reload := &reloader{path: r.Config, current: c, inForce: c, service: s, log: log}
	err = s.Run(e.ctx, func(ctx context.Context) error { return reload.Run(ctx, e.hangup) })
	log.Info().Msg("imdad has ended")
	return err
}

// writeAddresses appears whole or not at all, for whoever waits for the file.
func writeAddresses(path string, lines ...string) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return fmt.Errorf("write the address file: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write the address file: %w", err)
	}
	return nil
}
