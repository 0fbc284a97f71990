package collector

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/live"
)

// The files in the data directory that the live state is saved to: at the end,
// and on the way. That of the end becomes one of the way before anything is
// heard, so that a crash never leaves it behind.
const (
	stateName   = "live.state"
	runningName = "live.running"
)

// loadLive brings the state of an earlier life back. Without it only windows
// and histories begin anew, so a file that cannot be read is moved aside and
// never keeps the collector from starting.
func loadLive(s *live.State, dir string, log zerolog.Logger) {
	path, running := filepath.Join(dir, stateName), filepath.Join(dir, runningName)
	atTheEnd := true
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		atTheEnd, path = false, running
		f, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = errors.Join(s.Load(f, atTheEnd), f.Close())
	}
	if err == nil && atTheEnd {
		err = os.Rename(path, running)
	}
	if err == nil {
		return
	}
	aside := path + ".damaged"
	if moved := os.Rename(path, aside); moved != nil {
		err = errors.Join(err, moved)
	}
	log.Error().Err(err).Str("file", aside).
		Msg("the saved live state cannot be used and was moved aside; windows, histories and profiles begin anew")
}

// saveLive saves the state to a file, in the place of the last one once it is
// whole.
func (c *Collector) saveLive(name string) {
	if err := c.writeLive(name); err != nil {
		c.log.Error().Err(err).Msg("the live state is not saved; after a restart windows begin where it was saved last")
	}
}

func (c *Collector) writeLive(name string) (err error) {
	path := filepath.Join(c.dir, name)
	// Always the same name, so that kills leave one file behind at most.
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create a file for the live state: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(c.live.Save(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put the live state in its place: %w", err)
	}
	return nil
}
