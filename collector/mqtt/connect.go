package mqtt

import (
	"errors"
	"math/rand/v2"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	firstPause = 250 * time.Millisecond
	longPause  = 15 * time.Second
	roomPoll   = 100 * time.Millisecond
	// settled is how long a connection must last for the next one to be made without a pause.
	settled = 10 * time.Second
)

// notified is called by paho before each round of attempts, and after one that failed.
func (s *session) notified(_ paho.Client, n paho.ConnectionNotification) {
	switch n := n.(type) {
	case paho.ConnectionNotificationConnecting:
		s.beforeConnect()
	case paho.ConnectionNotificationFailed:
		s.failed(n.Reason)
	}
}

// beforeConnect holds paho up until connecting makes sense: a growing pause after failures, room in the queue and the
// spool, a password. It returns early when the session is stopped; open then fails.
func (s *session) beforeConnect() {
	for s.sleep(s.pause()) && s.awaitRoom() {
		password, err := s.shared.password()
		if err == nil {
			s.mu.Lock()
			s.password = password
			s.mu.Unlock()
			return
		}
		s.failed(err)
	}
}

// pause grows with the failures in a row and has some jitter, so that not all sessions come back at once.
func (s *session) pause() time.Duration {
	s.mu.Lock()
	n := s.failures
	s.mu.Unlock()
	if n == 0 {
		return 0
	}
	d := longPause
	if n < 7 {
		d = firstPause << (n - 1)
	}
	return d - rand.N(d/4)
}

func (s *session) awaitRoom() bool {
	for told := false; !s.shared.accepting() || !s.shared.queue.hasRoom(); told = true {
		if !told {
			s.log.Info().Msg("not connecting to the broker until there is room for messages")
		}
		if !s.sleep(roomPoll) {
			return false
		}
	}
	return true
}

// sleep returns false when the session is stopped.
func (s *session) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.context.Err() == nil
	case <-s.context.Done():
		return false
	}
}

// failed notes an attempt that came to nothing. The first, second, fourth … are logged.
func (s *session) failed(err error) {
	if s.context.Err() != nil {
		return
	}
	s.mu.Lock()
	s.failures++
	s.counts.failures++
	n := s.failures
	s.state.LastError = err.Error()
	s.mu.Unlock()
	if n&(n-1) == 0 {
		event := s.log.Warn().Err(err).Int("attempt", n)
		if s.presence != nil {
			event = event.Str("will_topic", s.presence.Topic) // a broker refuses whoever may not publish there
		}
		event.Msg("cannot connect to the broker; trying on")
	}
}

// greeted learns from the CONNACK what paho does not tell after a reconnect.
func (s *session) greeted(broker *url.URL, g greeting) {
	s.mu.Lock()
	forgotten := s.expected && !g.resumed
	s.expected = true
	s.counts.connects++
	if forgotten {
		s.counts.forgotten++
	}
	s.state.Connected, s.state.Resumed = true, g.resumed
	s.state.Broker, s.state.Since = broker.String(), time.Now()
	s.mu.Unlock()

	s.log.Info().Str("broker", broker.Host).Bool("resumed", g.resumed).Msg("connected to the broker")
	if forgotten {
		s.log.Warn().Str("broker", broker.Host).Msg("the broker had forgotten this session: what was published while " +
			"it was away is lost; let the broker persist its sessions and not expire them")
	}
}

// ended is told once for each connection that was opened.
func (s *session) ended(o *origin, cause error) {
	s.shared.queue.lose(o)
	s.mu.Lock()
	wasConnected := s.state.Connected
	short, overflow := time.Since(s.state.Since) < settled, errors.Is(cause, errNoRoom)
	if wasConnected {
		s.state.Connected, s.state.Subscribed, s.state.Since = false, false, time.Now()
		s.counts.disconnects++
		switch {
		case overflow:
			s.counts.overflows++
			s.failures = 0 // waiting for room is pause enough
		case short:
			s.failures++
		default:
			s.failures = 0
		}
	}
	stopped := s.context.Err() != nil
	if !stopped {
		s.state.LastError = cause.Error()
	}
	s.mu.Unlock()
	if !wasConnected || stopped {
		return
	}
	event := s.log.Warn().Err(cause)
	switch {
	case !short || overflow:
	case o.presence != nil && o.presence.unheard():
		event = event.Str("hint", "before it took the presence: may this user publish on "+o.presence.Topic+"?")
	default:
		event = event.Str("hint", "soon after connecting: another client may be using this client id")
	}
	event.Msg("connection to the broker lost")
}

func (s *session) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Connected
}
