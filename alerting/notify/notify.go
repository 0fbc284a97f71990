package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/message"
)

// Notice is one message to one address: a row of the outbox.
type Notice struct {
	ID       int64  // of the outbox row; the same at every attempt
	Channel  string // name of the channel that carries it
	Address  string // e-mail address, chat id, phone number; empty for streams
	Person   string // id; empty for streams
	Language message.Language
	Created  time.Time
	// Repeated says that an earlier process may have sent it just before it died.
	Repeated bool
	Content  message.Content
	// Texts are the words in the languages that the channel asks for: the
	// person's alone, or both for streams.
	Texts map[message.Language]message.Text
}

// Key names the notice the same way at every attempt and differently from every
// other notice, also after the outbox was lost and its ids began anew.
func (n Notice) Key() string { return fmt.Sprintf("%d-%d", n.Created.UnixMilli(), n.ID) }

// Channel carries notices: one e-mail server, one bot, one gateway.
type Channel interface {
	// Send blocks until the other side has taken the notice, or fails. It is
	// called from one goroutine at a time; ctx bounds an attempt. An error that
	// wraps ErrPermanent is not tried again; one that is a *Later says when.
	Send(ctx context.Context, n Notice) error
}

// ErrPermanent marks notices that the other side will never take.
var ErrPermanent = errors.New("refused for good")

// Later is an error that says when to try again.
type Later struct {
	After time.Duration
	Err   error
}

func (l *Later) Error() string { return fmt.Sprintf("%v (again in %v)", l.Err, l.After) }
func (l *Later) Unwrap() error { return l.Err }

// Acknowledgement is a person's answer that came back over a channel.
type Acknowledgement struct {
	Alarm      string // id
	Occurrence int64
	Person     string
	Via        string // telegram, email
}

// Listener is a Channel that people can answer on.
type Listener interface {
	// Listen hands each answer to take, until ctx ends. The text that take
	// returns is shown to the person.
	Listen(ctx context.Context, take func(context.Context, Acknowledgement) (string, error)) error
}
