package console

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
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

// Options are what the console stands on.
type Options struct {
	Desk   Desk
	Outbox Outbox
	Stages Stages
	Links  Links
	// Texts puts an alarm into words, for the page.
	Texts   func(alarm.Alarm) (map[message.Language]message.Text, error)
	Version string
}

// Register adds the console's paths to mux.
func Register(mux *http.ServeMux, o Options) {
	api := humago.New(mux, describe(o.Version))
	d := desk{o.Desk}
	get(api, "/api/v1/alarms", "list-alarms", "List alarms that are not normal, the worst first", d.list)
	get(api, "/api/v1/alarms/{id}", "get-alarm", "One alarm; a normal one as the journal knows it last", d.one, http.StatusNotFound)
	get(api, "/api/v1/journal", "read-journal", "What happened to alarms, oldest first", d.journal)
	get(api, "/api/v1/notices", "read-notices", "Who was told of what, and what became of each notice, oldest first", notices(o.Outbox))
	act(api, "acknowledge", "acknowledge-alarm", "Take note of an alarm; stops reminders and escalation", d.acknowledge)
	act(api, "shelve", "shelve-alarm", "Silence an alarm for at most 8 hours", d.shelve)
	act(api, "unshelve", "unshelve-alarm", "End the silence", d.plain(alarm.Unshelve))
	act(api, "reset", "reset-alarm", "End a latched alarm", d.plain(alarm.Reset))
	act(api, "take-out", "take-alarm-out", "Take an alarm out of service, with a reason, until it is put back", d.plain(alarm.TakeOut))
	act(api, "put-back", "put-alarm-back", "Put an alarm back in service", d.plain(alarm.PutBack))
	post(api, "/api/v1/cities/{city}/stage", "set-stage", "Announce the stage of rationing of a city", stage(o.Stages), http.StatusNotFound)
	for _, p := range api.OpenAPI().Components.Schemas.Map()["ErrorModel"].Properties {
		p.Examples = nil // they name addresses elsewhere
	}
	mux.Handle("GET "+pagePath, page{o}.serve(page.ask))
	mux.Handle("POST "+pagePath, page{o}.serve(page.acknowledge))
}

func describe(version string) huma.Config {
	c := huma.DefaultConfig("Imdad", version)
	c.Info.Description = "Alarms of the supply of industrial cities. Whoever the server has asked for a password acts under that name; others say who they are."
	c.OpenAPIPath, c.SchemasPath = "/api/openapi", "/api/schemas"
	c.DocsPath = ""     // its page would load scripts from elsewhere
	c.CreateHooks = nil // no $schema in each answer
	c.RejectUnknownQueryParameters = true
	return c
}

// handler is an operation as huma calls it.
type handler[I, O any] func(context.Context, *I) (*O, error)

func get[I, O any](api huma.API, path, id, summary string, handle handler[I, O], refusals ...int) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Errors: refusals}, handle)
}

func post[I, O any](api huma.API, path, id, summary string, handle handler[I, O], refusals ...int) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Errors: refusals}, handle)
}

// act is a post about one alarm.
func act[I any](api huma.API, verb, id, summary string, handle handler[I, alarmOutput]) {
	post(api, "/api/v1/alarms/{id}/"+verb, id, summary, handle, http.StatusNotFound, http.StatusConflict)
}

// desk answers the operations.
type desk struct{ Desk }
