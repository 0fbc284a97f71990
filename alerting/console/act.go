package console

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// CommandLine begins the User-Agent of the program's own command line, so that
// the journal tells it from other clients.
const CommandLine = "imdad/"

// Author says who acts, and from where. Like all that requests share it is
// exported, since huma looks into exported structs alone.
type Author struct{ user, via string }

// Resolve implements huma.Resolver.
func (a *Author) Resolve(ctx huma.Context) []error {
	r, _ := humago.Unwrap(ctx)
	a.user, _, _ = r.BasicAuth() // the server has checked it, if it asks for passwords
	a.via = "api"
	if strings.HasPrefix(r.UserAgent(), CommandLine) {
		a.via = "cli"
	}
	return nil
}

// Identity is how a client says who acts.
type Identity struct {
	By string `json:"by,omitempty" maxLength:"64" doc:"Who acts, if the server does not ask for a password"`
}

// name prefers the name by which the server let the client in.
func (a Author) name(by Identity) (string, error) {
	switch {
	case a.user != "":
		return a.user, nil
	case by.By != "":
		return by.By, nil
	}
	return "", huma.Error422UnprocessableEntity("by: say who acts")
}

// Note is what any action may say.
type Note struct {
	Identity
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"A word for the journal"`
}

type plainInput struct {
	AlarmID
	Author
	Body *Note // a pointer, so that there need be none
}

// plain is an action that needs nothing but a name.
func (d desk) plain(event alarm.Event) handler[plainInput, alarmOutput] {
	return func(ctx context.Context, in *plainInput) (*alarmOutput, error) {
		note := orZero(in.Body)
		return d.do(ctx, in.Author, note.Identity, alarm.Action{Event: event, ID: in.ID, Reason: note.Reason})
	}
}

func orZero[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

type acknowledgeInput struct {
	AlarmID
	Author
	Body *struct {
		Note
		Occurrence int64 `json:"occurrence,omitempty" minimum:"0" doc:"Of the alarm that was seen; 0: the present one"`
	}
}

func (d desk) acknowledge(ctx context.Context, in *acknowledgeInput) (*alarmOutput, error) {
	seen := orZero(in.Body)
	return d.do(ctx, in.Author, seen.Identity, alarm.Action{
		Event: alarm.Acknowledge, ID: in.ID, Occurrence: seen.Occurrence, Reason: seen.Reason,
	})
}

type shelveInput struct {
	AlarmID
	Author
	Body struct {
		Identity
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why nobody needs to see it"`
		For    string `json:"for" doc:"How long, at most 8h" example:"2h30m"`
	}
}

func (d desk) shelve(ctx context.Context, in *shelveInput) (*alarmOutput, error) {
	length, err := time.ParseDuration(in.Body.For)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity("for: write a time such as 2h30m", err)
	}
	return d.do(ctx, in.Author, in.Body.Identity, alarm.Action{Event: alarm.Shelve, ID: in.ID, Reason: in.Body.Reason, For: length})
}

func (d desk) do(ctx context.Context, who Author, by Identity, a alarm.Action) (*alarmOutput, error) {
	var err error
	if a.By, err = who.name(by); err != nil {
		return nil, err
	}
	a.Via = who.via
	changed, err := d.Act(ctx, a)
	if err != nil {
		return nil, refusal(err)
	}
	return &alarmOutput{changed}, nil
}

// refusal turns a desk's error into the answer that tells a client what to do
// about it.
func refusal(err error) error {
	switch {
	case errors.Is(err, alarm.ErrUnknown):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, alarm.ErrOld), errors.Is(err, alarm.ErrState):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, alarm.ErrAction):
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return huma.Error500InternalServerError("the alarm journal cannot be used", err)
}
