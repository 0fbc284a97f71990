package main

import (
	"context"
	"fmt"
	"time"
)

// statusLine shows the ledger once a second.
type statusLine struct {
	screen  *screen
	service *service
	began   time.Time
}

func newStatusLine(out *screen, s *service) *statusLine {
	return &statusLine{screen: out, service: s, began: time.Now()}
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
	return s.screen.show(fmt.Sprintf("%4.0fs  received %d · decoded %d · in flight %d · spooled %d · written %d · pending %d · quarantined %d · alarms %d",
		time.Since(s.began).Seconds(), l["messages_received"], l["messages_decoded"], l["messages_in_flight"],
		l["readings_spooled"], l["lines_written"], l["lines_pending"], l["quarantine_entries"], len(s.service.alerting.Alarms())))
}
