package alarm

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// What operators' actions and Open may answer, to be told apart with errors.Is.
var (
	// ErrUnknown: there is and was no such alarm.
	ErrUnknown = errors.New("no such alarm")
	// ErrOld: the action is about an occurrence that is over.
	ErrOld = errors.New("the alarm has occurred again since")
	// ErrState: the alarm is in a state that the action does not fit.
	ErrState = errors.New("not possible in this state")
	// ErrAction: the action itself is wrong, such as a shelving without a reason.
	ErrAction = errors.New("wrong action")
	// ErrLocked: another process runs a book on this file.
	ErrLocked = errors.New("the alarm journal is in use by another process")
	// ErrSchema: the file was written by a newer version.
	ErrSchema = errors.New("the alarm journal's schema does not fit this version")
	// ErrClosed: the book has been closed.
	ErrClosed = errors.New("the alarm journal is closed")
	// errCorrupt: the file is not a database, or its structure is broken.
	errCorrupt = errors.New("the alarm journal is damaged")
)

// classify wraps errors that mean damage in errCorrupt.
func classify(err error) error {
	if err == nil || errors.Is(err, errCorrupt) {
		return err
	}
	var se *sqlite.Error
	switch {
	case errors.As(err, &se):
		if code := se.Code() & 0xff; code == lib.SQLITE_CORRUPT || code == lib.SQLITE_NOTADB {
			return fmt.Errorf("%w: %w", errCorrupt, err)
		}
	case errors.Is(err, syscall.EISDIR), strings.Contains(err.Error(), "sql: Scan error"): // it has no type of its own
		return fmt.Errorf("%w: %w", errCorrupt, err)
	}
	return err
}
