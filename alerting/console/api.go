package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Desk is where alarms are looked at and acted upon. It is safe for concurrent
// use; an action is on disk when it returns.
type Desk interface {
	Alarms() []alarm.Alarm
	// Alarm answers alarm.ErrUnknown for an alarm that never was.
	Alarm(ctx context.Context, id string) (alarm.Alarm, error)
	Journal(ctx context.Context, after int64, limit int) ([]alarm.Transition, error)
	Act(ctx context.Context, a alarm.Action) (alarm.Alarm, error)
}

// Stages takes what the utility announces: the stage of rationing of a city.
type Stages interface {
	// SetStage returns an error if the city is not registered.
	SetStage(city string, stage int) error
}

// Options are what the console stands on.
type Options struct {
	Desk    Desk
	Stages  Stages
	Links   Links
	Version string
}

// Register adds the console's paths to mux.
func Register(mux *http.ServeMux, o Options) {
	c := huma.DefaultConfig("Imdad", o.Version)
	c.Info.Description = "Alarms of the supply of industrial cities. Whoever is authenticated by the server acts under that name; else by says who acts."
	c.OpenAPIPath, c.SchemasPath = "/api/openapi", "/api/schemas"
	c.DocsPath = ""     // its page would load scripts from elsewhere
	c.CreateHooks = nil // no $schema in each answer
	c.RejectUnknownQueryParameters = true
	api := humago.New(mux, c)
	d := desk{o.Desk}
	get(api, "/api/v1/alarms", "list-alarms", "List alarms that are not normal, the worst first", d.list)
	get(api, "/api/v1/alarms/{id}", "get-alarm", "One alarm", d.one)
	get(api, "/api/v1/journal", "read-journal", "What happened to alarms, oldest first", d.journal)
	post(api, "/api/v1/alarms/{id}/acknowledge", "acknowledge-alarm", "Take note of an alarm; stops reminders and escalation", d.acknowledge)
	post(api, "/api/v1/alarms/{id}/shelve", "shelve-alarm", "Silence an alarm for at most 8 hours", d.shelve)
	post(api, "/api/v1/alarms/{id}/unshelve", "unshelve-alarm", "End the silence", d.act(alarm.Unshelve))
	post(api, "/api/v1/alarms/{id}/reset", "reset-alarm", "End a latched alarm", d.act(alarm.Reset))
	post(api, "/api/v1/alarms/{id}/take-out", "take-alarm-out", "Take an alarm out of service", d.act(alarm.TakeOut))
	post(api, "/api/v1/alarms/{id}/put-back", "put-alarm-back", "Put an alarm back in service", d.act(alarm.PutBack))
	post(api, "/api/v1/cities/{city}/stage", "set-stage", "Announce the stage of rationing of a city", stage(o.Stages))
	mux.Handle("GET /acknowledge", page{o, false})
	mux.Handle("POST /acknowledge", page{o, true})
}

func get[I, O any](api huma.API, path, id, summary string, handle func(context.Context, *I) (*O, error)) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary}, handle)
}

func post[I, O any](api huma.API, path, id, summary string, handle func(context.Context, *I) (*O, error)) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary}, handle)
}

type desk struct{ Desk }

type listInput struct {
	Zone     string      `query:"zone" doc:"Only alarms in this zone"`
	Kind     string      `query:"kind" doc:"Only alarms of this kind" example:"elec.outage"`
	State    alarm.State `query:"state" doc:"Only alarms in this state" enum:"unacknowledged,acknowledged,returned,shelved,suppressed,out_of_service"`
	Severity string      `query:"severity" doc:"Only alarms at least so severe" enum:"low,medium,high,critical"`
}

type alarmsOutput struct{ Body []alarm.Alarm }

func (d desk) list(_ context.Context, in *listInput) (*alarmsOutput, error) {
	out := &alarmsOutput{Body: []alarm.Alarm{}}
	least, _ := rule.ParseSeverity(in.Severity) // an empty word is below low
	for _, a := range d.Alarms() {
		if in.Zone != "" && a.InZone != in.Zone || in.Kind != "" && a.Kind != in.Kind ||
			in.State != "" && a.State != in.State || a.Severity < least {
			continue
		}
		out.Body = append(out.Body, a)
	}
	slices.SortStableFunc(out.Body, func(a, b alarm.Alarm) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		return a.Raised.Compare(b.Raised)
	})
	return out, nil
}

type idInput struct {
	ID string `path:"id" doc:"The alarm's id" example:"elec.outage:sn-f03"`
}

type alarmOutput struct{ Body alarm.Alarm }

func (d desk) one(ctx context.Context, in *idInput) (*alarmOutput, error) {
	a, err := d.Alarm(ctx, in.ID)
	if err != nil {
		return nil, refusal(err)
	}
	return &alarmOutput{a}, nil
}

type journalInput struct {
	After int64 `query:"after" minimum:"0" doc:"Only lines after this number (seq)"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"At most so many lines"`
}

type journalOutput struct{ Body []alarm.Transition }

func (d desk) journal(ctx context.Context, in *journalInput) (*journalOutput, error) {
	lines, err := d.Journal(ctx, in.After, in.Limit)
	if err != nil {
		return nil, huma.Error500InternalServerError("the journal cannot be read", err)
	}
	if lines == nil {
		lines = []alarm.Transition{}
	}
	return &journalOutput{lines}, nil
}

// author says who acts: the name by which the server let the client in, or
// else the one in the request.
type author struct {
	user string
}

// Resolve implements huma.Resolver.
func (a *author) Resolve(ctx huma.Context) []error {
	r, _ := humago.Unwrap(ctx)
	a.user, _, _ = r.BasicAuth()
	return nil
}

func (a author) name(by string) (string, error) {
	switch {
	case a.user != "":
		return a.user, nil
	case by != "":
		return by, nil
	}
	return "", huma.Error422UnprocessableEntity("by: say who acts")
}

type byBody struct {
	By     string `json:"by,omitempty" maxLength:"64" doc:"Who acts, if the server does not ask for a password"`
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

type actInput struct {
	idInput
	author
	Body byBody `required:"false"`
}

// act is an action that needs nothing but a name.
func (d desk) act(event alarm.Event) func(context.Context, *actInput) (*alarmOutput, error) {
	return func(ctx context.Context, in *actInput) (*alarmOutput, error) {
		return d.do(ctx, in.author, in.Body.By, alarm.Action{Event: event, ID: in.ID, Reason: in.Body.Reason})
	}
}

type acknowledgeInput struct {
	idInput
	author
	Body struct {
		byBody
		Occurrence int64 `json:"occurrence,omitempty" minimum:"0" doc:"Of the alarm that was seen; 0: the present one"`
	} `required:"false"`
}

func (d desk) acknowledge(ctx context.Context, in *acknowledgeInput) (*alarmOutput, error) {
	return d.do(ctx, in.author, in.Body.By, alarm.Action{
		Event: alarm.Acknowledge, ID: in.ID, Occurrence: in.Body.Occurrence, Reason: in.Body.Reason,
	})
}

type shelveInput struct {
	idInput
	author
	Body struct {
		By     string `json:"by,omitempty" maxLength:"64" doc:"Who acts, if the server does not ask for a password"`
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why nobody needs to see it"`
		For    string `json:"for" doc:"How long, at most 8h" example:"2h30m"`
	}
}

func (d desk) shelve(ctx context.Context, in *shelveInput) (*alarmOutput, error) {
	length, err := time.ParseDuration(in.Body.For)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity("for: write a time such as 2h30m", err)
	}
	return d.do(ctx, in.author, in.Body.By, alarm.Action{Event: alarm.Shelve, ID: in.ID, Reason: in.Body.Reason, For: length})
}

func (d desk) do(ctx context.Context, who author, by string, a alarm.Action) (*alarmOutput, error) {
	name, err := who.name(by)
	if err != nil {
		return nil, err
	}
	a.By, a.Via = name, "api"
	changed, err := d.Act(ctx, a)
	if err != nil {
		return nil, refusal(err)
	}
	return &alarmOutput{changed}, nil
}

// refusal turns an action's error into the answer that tells a client what to
// do about it.
func refusal(err error) error {
	switch {
	case errors.Is(err, alarm.ErrUnknown):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, alarm.ErrOld), errors.Is(err, alarm.ErrState):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, alarm.ErrAction):
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return huma.Error500InternalServerError("the action was not stored", err)
}

type stageInput struct {
	City string `path:"city" doc:"The city's id"`
	Body struct {
		Stage int `json:"stage" minimum:"0" maximum:"99" doc:"0: no rationing beyond the fixed programme"`
	}
}

func stage(s Stages) func(context.Context, *stageInput) (*struct{}, error) {
	return func(_ context.Context, in *stageInput) (*struct{}, error) {
		if err := s.SetStage(in.City, in.Body.Stage); err != nil {
			return nil, huma.Error404NotFound(err.Error())
		}
		return nil, nil
	}
}
