package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The files in the data directory that the live state is saved to: at the end,
// and on the way. That of the end becomes one of the way before anything is
// heard, so that a crash never leaves it behind. What vetting knows of counters
// has one file: to begin from an older state makes the same blocks again.
const (
	stateName   = "live.state"
	runningName = "live.running"
	vetName     = "vet.state"
)

// loadState brings the states of an earlier life back. Without them only windows,
// histories and counters begin anew, so a file that cannot be read is moved
// aside and never keeps the collector from starting.
func (c *Collector) loadState() {
	running := filepath.Join(c.dir, runningName)
	end := filepath.Join(c.dir, stateName)
	found, ok := c.load(end, func(r io.Reader) error { return c.live.Load(r, true) })
	switch {
	case !found:
		c.load(running, func(r io.Reader) error { return c.live.Load(r, false) })
	case ok:
		if err := os.Rename(end, running); err != nil {
			c.moveAside(end, err)
		}
	}
	c.load(filepath.Join(c.dir, vetName), c.stream.LoadState)
	c.load(filepath.Join(c.dir, seenName), c.stream.seen.load)
}

// load reads a state, if its file is there. ok says that it is in use.
func (c *Collector) load(path string, read func(io.Reader) error) (found, ok bool) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false
	}
	if err == nil {
		err = errors.Join(read(f), f.Close())
	}
	if err != nil {
		c.moveAside(path, err)
	}
	return true, err == nil
}

func (c *Collector) moveAside(path string, why error) {
	aside := path + ".damaged"
	if err := os.Rename(path, aside); err != nil {
		why = errors.Join(why, err)
	}
	c.log.Error().Err(why).Str("file", aside).
		Msg("a saved state cannot be used and was moved aside; what it held of windows, profiles or counters begins anew")
}

// saveState saves the live state under a name, and what vetting knows once the
// blocks that it has made of it are spooled.
func (c *Collector) saveState(ctx context.Context, name string) {
	err := c.write(vetName, func(w io.Writer) error { return errors.Join(c.stream.SaveState(w), c.spoolBlocks(ctx)) })
	if err = errors.Join(err, c.write(name, c.live.Save), c.write(seenName, c.stream.seen.save)); err != nil {
		c.log.Error().Err(err).Msg("the state is not saved; after a restart windows and counters begin where it was saved last")
	}
}

// write puts a file in the place of the last one once it is whole.
func (c *Collector) write(name string, save func(io.Writer) error) (err error) {
	path := filepath.Join(c.dir, name)
	// Always the same name, so that kills leave one file behind at most.
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create a file for the state: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(save(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put the state in its place: %w", err)
	}
	return nil
}
