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

// stateName is the file in the data directory that the live state is saved to.
const stateName = "live.state"

// loadLive brings the state of an earlier life back. Without it only windows
// and histories begin anew, so a file that cannot be read is moved aside and
// never keeps the collector from starting.
func loadLive(s *live.State, dir string, log zerolog.Logger) {
	path := filepath.Join(dir, stateName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = errors.Join(s.Load(f), f.Close())
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

// saveLive saves the state, in the place of the last one once it is whole.
func (c *Collector) saveLive() {
	if err := c.writeLive(); err != nil {
		c.log.Error().Err(err).Msg("the live state is not saved; after a restart windows begin where it was saved last")
	}
}

func (c *Collector) writeLive() (err error) {
	path := filepath.Join(c.dir, stateName)
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
