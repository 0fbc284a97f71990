package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// newLogger writes what people read to a terminal and JSON lines to anything
// else, unless told which. Its times are the service's clock.
func newLogger(w io.Writer, c logConfig, now func() time.Time) zerolog.Logger {
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel // a valid configuration has none but legal levels
	}
	console := c.Format == "console"
	if f, ok := w.(*os.File); ok && c.Format == "auto" {
		console = term.IsTerminal(int(f.Fd()))
	}
	if console {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: "15:04:05"}
	}
	return zerolog.New(w).Level(level).Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Time(zerolog.TimestampFieldName, now())
	}))
}

// newSlog is the same log for libraries that know slog only.
func newSlog(log zerolog.Logger) *slog.Logger {
	return slog.New(untimed{zerolog.NewSlogHandler(log)})
}

// untimed leaves the time to the log itself, which would show two otherwise.
type untimed struct{ slog.Handler }

func (h untimed) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{}
	return h.Handler.Handle(ctx, r)
}

func (h untimed) WithAttrs(attrs []slog.Attr) slog.Handler {
	return untimed{h.Handler.WithAttrs(attrs)}
}

func (h untimed) WithGroup(name string) slog.Handler { return untimed{h.Handler.WithGroup(name)} }
