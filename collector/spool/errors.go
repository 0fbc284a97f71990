package spool

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// What Append, Replay and Open may answer, to be told apart with errors.Is.
// After any of the first three nothing of the batch is stored; the caller keeps
// it and tries again.
var (
	// ErrFull: the undelivered batches have reached spool.max_bytes.
	ErrFull = errors.New("the spool is at its cap")
	// ErrDiskFull: the file system has no room beside the reserve.
	ErrDiskFull = errors.New("the disk is full")
	// ErrMedium: the disk refuses to read or write.
	ErrMedium = errors.New("the disk fails")
	// ErrLocked: another process runs a service on this directory.
	ErrLocked = errors.New("the spool is in use by another process")
	// ErrSchema: the file was written by a version this one cannot use.
	ErrSchema = errors.New("the spool's schema does not fit this version")
	// ErrClosed: the spool has been closed.
	ErrClosed = errors.New("the spool is closed")
	// ErrNotFound: there is no such quarantine entry.
	ErrNotFound = errors.New("no such quarantine entry")
	// ErrDamaged: the stored entry does not match its checksum.
	ErrDamaged = errors.New("the entry is damaged")
	// errCorrupt: the file is not a database, or its structure is broken.
	errCorrupt = errors.New("the spool file is damaged")
)

// classify wraps an error of SQLite, or of a value that is not of its column's
// type, in the sentinel that tells what to do about it.
func classify(err error) error {
	if err == nil || errors.Is(err, errCorrupt) {
		return err
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		switch {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			return fmt.Errorf("%w: %w", ErrDiskFull, err)
		case errors.Is(err, syscall.EIO), errors.Is(err, syscall.EROFS):
			return fmt.Errorf("%w: %w", ErrMedium, err)
		case strings.Contains(err.Error(), "sql: Scan error"): // it has no type of its own
			return fmt.Errorf("%w: %w", errCorrupt, err)
		}
		return err
	}
	switch se.Code() & 0xff {
	case lib.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", errCorrupt, err)
	case lib.SQLITE_IOERR:
		if se.Code() == lib.SQLITE_IOERR_SHMSIZE {
			return fmt.Errorf("%w: %w", ErrDiskFull, err)
		}
		return fmt.Errorf("%w: %w", ErrMedium, err)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return fmt.Errorf("%w: %w", ErrMedium, err)
	}
	return err
}

func isConstraint(err error) bool {
	var se *sqlite.Error
	return errors.As(err, &se) && se.Code()&0xff == lib.SQLITE_CONSTRAINT
}
