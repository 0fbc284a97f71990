package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// statusLine shows the ledger once a second: one line that is written over on
// a terminal, plain lines elsewhere.
type statusLine struct {
	out      io.Writer
	terminal bool
	service  *service
	began    time.Time
}

func newStatusLine(out io.Writer, s *service) *statusLine {
	f, ok := out.(*os.File)
	return &statusLine{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), service: s, began: time.Now()}
}

func (s *statusLine) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.show(); err != nil {
				return err
			}
		}
	}
}

func (s *statusLine) show() error {
	l, err := gatherLedger(s.service.metrics)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%4.0fs  received %d · decoded %d · in flight %d · spooled %d · written %d · pending %d · quarantined %d",
		time.Since(s.began).Seconds(), l["messages_received"], l["messages_decoded"], l["messages_in_flight"],
		l["readings_spooled"], l["lines_written"], l["lines_pending"], l["quarantine_entries"])
	if s.terminal {
		_, err = fmt.Fprintf(s.out, "\r\x1b[K%s", text)
	} else {
		_, err = fmt.Fprintln(s.out, text)
	}
	return err
}

// end leaves the last status standing.
func (s *statusLine) end() {
	if s.terminal {
		fmt.Fprintln(s.out)
	}
}
