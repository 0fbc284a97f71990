package notify

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite" // also registers the driver
	lib "modernc.org/sqlite/lib"
)

// What opening answers, to be told apart with errors.Is.
var (
	// ErrSchema: the file was written by a newer version.
	ErrSchema = errors.New("the outbox is of a newer version")
	// ErrLocked: another process has the outbox.
	ErrLocked = errors.New("the outbox is in use by another process")
)

// errDamaged: the file cannot be read as what it should be.
var errDamaged = errors.New("the outbox is damaged")

// classify tells damage from other errors of SQLite.
func classify(err error) error {
	if err == nil || errors.Is(err, errDamaged) {
		return err
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		if code := se.Code() & 0xff; code == lib.SQLITE_CORRUPT || code == lib.SQLITE_NOTADB {
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
		return err
	}
	if strings.Contains(err.Error(), "sql: Scan error") { // it has no type of its own
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}
