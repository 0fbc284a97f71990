package spool

import (
	"errors"
	"fmt"
	"os"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// The reserve is made large, and counts as restored when at least its minimum
// could be had: what a full disk takes from it for good is the log's room, after
// a restart, and at most as much for the file to grow (see room.go).
const (
	reserveBytes    = 48 << 20
	reserveMinBytes = 16 << 20
)

// reserve is a file that only holds disk space, to be given up when the disk is
// full, so that delivery can go on: after that error SQLite can not even delete.
type reserve struct {
	path string
}

// restore makes the file where it is missing and reports whether it stands.
func (r *reserve) restore(log *zerolog.Logger) bool {
	if info, err := os.Stat(r.path); err == nil && info.Size() >= reserveMinBytes {
		return true
	}
	var err error
	for size := int64(reserveBytes); size >= reserveMinBytes; size -= reserveMinBytes {
		if err = allocate(r.path, size); err == nil {
			return true
		}
	}
	log.Debug().Err(err).Msg("no room for the spool's reserve yet")
	return false
}

// spend gives the space up, and reports whether there was any.
func (r *reserve) spend(log *zerolog.Logger) bool {
	if _, err := os.Stat(r.path); err != nil {
		return false
	}
	if err := os.Remove(r.path); err != nil {
		log.Error().Err(err).Msg("the spool's reserve cannot be given up")
		return false
	}
	log.Warn().Msg("the disk is full: gave up the spool's reserve to go on delivering")
	return true
}

// allocate makes a file of that size with all its blocks, or none.
func allocate(path string, size int64) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	err = unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = fill(f, size)
	}
	if err != nil {
		return fmt.Errorf("allocate %s: %w", path, err)
	}
	return f.Sync()
}

// fill allocates by writing, for file systems that know no other way.
func fill(f *os.File, size int64) error {
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = 0xa5 // zeros might be stored as a hole
	}
	for off := int64(0); off < size; off += int64(len(block)) {
		if _, err := f.WriteAt(block, off); err != nil {
			return err
		}
	}
	return nil
}

// preallocate gives an existing file blocks beyond its end, without changing its
// size. File systems that cannot do so are left alone.
func preallocate(path string, size int64) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}
