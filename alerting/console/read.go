package console

import (
	"cmp"
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Filter says which alarms are wanted; what is empty does not matter.
type Filter struct {
	Zone     string      `query:"zone" doc:"Only alarms in this zone"`
	Kind     string      `query:"kind" doc:"Only alarms of this kind" example:"elec.outage"`
	State    alarm.State `query:"state" doc:"Only alarms in this state" enum:"unacknowledged,acknowledged,returned,shelved,suppressed,out_of_service"`
	Severity string      `query:"severity" doc:"Only alarms at least so severe" enum:"low,medium,high,critical"`
}

// Apply returns the alarms of list that are wanted, the worst first. It changes
// list.
func (f Filter) Apply(list []alarm.Alarm) []alarm.Alarm {
	least, _ := rule.ParseSeverity(f.Severity) // no word is below low
	list = slices.DeleteFunc(list, func(a alarm.Alarm) bool {
		return f.Zone != "" && a.InZone != f.Zone || f.Kind != "" && a.Kind != f.Kind ||
			f.State != "" && a.State != f.State || a.Severity < least
	})
	slices.SortStableFunc(list, worstFirst)
	return list
}

type listInput struct{ Filter }

type alarmsOutput struct{ Body []alarm.Alarm }

func (d desk) list(_ context.Context, in *listInput) (*alarmsOutput, error) {
	list := in.Apply(d.Alarms())
	if list == nil {
		list = []alarm.Alarm{} // in JSON a list, not null
	}
	return &alarmsOutput{list}, nil
}

// worstFirst orders alarms by severity, then by age, the oldest first.
func worstFirst(a, b alarm.Alarm) int {
	return cmp.Or(-cmp.Compare(a.Severity, b.Severity), a.Raised.Compare(b.Raised), cmp.Compare(a.ID, b.ID))
}

// AlarmID is the part of a path that names an alarm.
type AlarmID struct {
	ID string `path:"id" doc:"The alarm's id" example:"elec.outage:sn-f03"`
}

type alarmOutput struct{ Body alarm.Alarm }

func (d desk) one(ctx context.Context, in *AlarmID) (*alarmOutput, error) {
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
