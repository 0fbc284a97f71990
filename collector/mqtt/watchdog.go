package mqtt

import (
	"context"
	"time"
)

const maxPatience = 6 * time.Hour

// watch notes when messages arrived and remakes connections that have fallen silent, until ctx ends.
func (c *Client) watch(ctx context.Context) {
	interval := time.Second
	if idle := c.shared.config.IdleTimeout; idle > 0 {
		interval = min(interval, idle/4)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	seen := make(map[*session]int64)
	for {
		select {
		case now := <-ticker.C:
			for _, s := range c.list() {
				n := s.arrivals.Load()
				s.checkSilence(now, n > seen[s])
				seen[s] = n
			}
		case <-ctx.Done():
			return
		}
	}
}

// checkSilence closes the transport of a session that used to deliver and no longer does: a broker or a middlebox may
// have lost the subscription while it still answers pings. paho notices and reconnects. Each remake that changes
// nothing doubles the patience, since most silences are the meters'.
func (s *session) checkSilence(now time.Time, arrived bool) {
	idle := s.shared.config.IdleTimeout
	s.mu.Lock()
	if arrived {
		s.state.LastMessage, s.patience = now, idle
	}
	last := s.state.LastMessage
	quiet := now.Sub(last)
	if s.state.Since.After(last) {
		quiet = now.Sub(s.state.Since)
	}
	silent := idle > 0 && s.state.Connected && !s.retiring && !last.IsZero() && quiet > s.patience
	if silent {
		s.patience = min(2*s.patience, maxPatience)
	}
	s.mu.Unlock()
	if !silent {
		return
	}
	s.log.Warn().Time("last_message", last).Msg("no message for a long time: connecting anew")
	s.origin.Load().transport.fail(errSilent)
}
