package mqtt

import "time"

// SessionStatus is one session's condition. Times are of the real clock.
type SessionStatus struct {
	ClientID    string
	Broker      string    // of the current or the last connection; empty before the first
	Connected   bool      // the broker has accepted the connection
	Subscribed  bool      // and all filters
	Since       time.Time // when Connected last changed
	Filters     []string  // as subscribed, with the group of a shared subscription
	Resumed     bool      // the broker had kept the session when it was last connected
	Retiring    bool      // left by an earlier configuration: being drained, and then ended
	LastMessage time.Time // zero before the first; one second exact
	LastError   string    // empty when all is well
}

// Ready tells whether everything that is published for this session reaches
// it: before its filters are granted, a broker that is new to the session sends
// and keeps nothing. A session that retires has none.
func (s SessionStatus) Ready() bool { return s.Connected && (s.Subscribed || s.Retiring) }

func (s *session) status() (SessionStatus, sessionCounts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.counts
}
