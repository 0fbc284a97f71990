package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// screen is the demo's output: what is written scrolls by, and on a terminal
// one status line stays below it.
type screen struct {
	terminal bool

	mu     sync.Mutex
	out    io.Writer
	status string
}

func newScreen(out io.Writer) *screen {
	f, ok := out.(*os.File)
	return &screen{out: out, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

const eraseLine = "\r\x1b[K"

// Write writes whole lines above the status.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == "" {
		return s.out.Write(p)
	}
	_, err := fmt.Fprintf(s.out, "%s%s%s", eraseLine, p, s.status)
	return len(p), err
}

// show replaces the status; elsewhere than on a terminal it is one more line.
func (s *screen) show(status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal {
		_, err := fmt.Fprintln(s.out, status)
		return err
	}
	s.status = status
	_, err := fmt.Fprint(s.out, eraseLine+status)
	return err
}

// leave lets the last status stand and goes on below it.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status != "" {
		fmt.Fprintln(s.out)
		s.status = ""
	}
}

// reader is a channel whose people read on the screen, in both languages.
type reader struct {
	screen   *screen
	renderer *message.Renderer
	now      func() time.Time
}

// Send implements notify.Channel.
func (r *reader) Send(_ context.Context, n notify.Notice) error {
	loc, err := time.LoadLocation(zone.DefaultTimezone)
	if err != nil {
		return fmt.Errorf("show a notice: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s  %s to %s by %s\n", r.now().In(loc).Format("15:04"), n.Content.Type, n.Person, n.Channel)
	for _, l := range message.Languages {
		text, err := r.renderer.Render(n.Content, l, loc)
		if err != nil {
			return fmt.Errorf("show a notice: %w", err)
		}
		fmt.Fprintf(&b, "   %s  %s\n", l, text.Short)
	}
	_, err = io.WriteString(r.screen, b.String())
	return err
}
