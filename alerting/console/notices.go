package console

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// Outbox tells which notices there were and are.
type Outbox interface {
	// Notices returns up to limit rows after an id, oldest first.
	Notices(ctx context.Context, after int64, limit int) ([]notify.Record, error)
}

// Notice is a row of the outbox: one notice on one channel.
type Notice struct {
	ID       int64     `json:"id" doc:"Grows from row to row"`
	Notice   int64     `json:"notice" doc:"The same for one notice on several channels"`
	Time     time.Time `json:"time" doc:"When it was made, by the clock of alarms"`
	Person   string    `json:"person" doc:"Empty for channels to programs"`
	Channel  string    `json:"channel"`
	Type     string    `json:"type" enum:"alarm,step,reminder,escalation,returned,digest,upcoming"`
	Alarms   []string  `json:"alarms" doc:"Ids, the worst first"`
	State    string    `json:"state" enum:"waiting,sending,sent,failed,cancelled"`
	Attempts int       `json:"attempts"`
	Repeated bool      `json:"repeated,omitempty" doc:"It may have left twice, around a crash"`
	Error    string    `json:"error,omitempty" doc:"Of the last attempt"`
}

type noticesOutput struct{ Body []Notice }

func notices(o Outbox) handler[journalInput, noticesOutput] {
	return func(ctx context.Context, in *journalInput) (*noticesOutput, error) {
		rows, err := o.Notices(ctx, in.After, in.Limit)
		if err != nil {
			return nil, huma.Error500InternalServerError("the outbox cannot be read", err)
		}
		out := &noticesOutput{Body: make([]Notice, len(rows))}
		for i, r := range rows {
			out.Body[i] = Notice{
				ID: r.ID, Notice: r.Notice, Time: r.Created, Person: r.Person, Channel: r.Channel, Type: string(r.Content.Type),
				Alarms: []string{}, State: r.State, Attempts: r.Attempts, Repeated: r.Repeated, Error: r.Error,
			}
			for _, a := range r.Content.Alarms {
				out.Body[i].Alarms = append(out.Body[i].Alarms, a.ID)
			}
		}
		return out, nil
	}
}
