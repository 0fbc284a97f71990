package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/console"
)

type alarmsCmd struct {
	List     alarmsList     `cmd:"" help:"List the alarms that are not normal, the worst first."`
	Ack      alarmsAck      `cmd:"" help:"Take note of alarms: reminders and escalation stop."`
	Shelve   alarmsShelve   `cmd:"" help:"Silence alarms for a while, at most 8 hours, with a reason."`
	Unshelve alarmsUnshelve `cmd:"" help:"End the silence of alarms."`
	Reset    alarmsReset    `cmd:"" help:"End latched alarms, such as a suspected burst, once the cause is mended."`
	TakeOut  alarmsTakeOut  `cmd:"" help:"Take alarms out of service, with a reason, until they are put back."`
	PutBack  alarmsPutBack  `cmd:"" help:"Put alarms back in service."`
	Journal  alarmsJournal  `cmd:"" help:"Print what happened to alarms, oldest first, as JSON lines."`
	Notices  alarmsNotices  `cmd:"" help:"Print who was told of what, oldest first, as JSON lines."`
}

// Help is shown by imdad alarms --help.
func (alarmsCmd) Help() string {
	return `Speaks to a running service over HTTP: the one that the configuration describes, or the one at --url. Without one, list shows
what the journal in its data folder says. Alarms are named by their id, as listed; an action may take several:

    imdad alarms list --config imdad.yaml --severity high
    imdad alarms ack --config imdad.yaml elec.outage:sn-f03 elec.outage:sn-f04
    imdad alarms shelve --config imdad.yaml --for 2h --reason "meter is being changed" meter.offline:sn-z1:water:w7

What is acknowledged is still listed until it is over. What each kind of alarm means, and what to do first, stands in configs/alarms/.`
}

type alarmsList struct {
	apiFlags
	Zone     string `placeholder:"ID" help:"Only this zone's."`
	Kind     string `placeholder:"KIND" help:"Only alarms of this kind, such as elec.outage."`
	State    string `enum:"unacknowledged,acknowledged,returned,shelved,suppressed,out_of_service," default:"" placeholder:"STATE" help:"Only alarms in this state: unacknowledged, acknowledged, returned (over, but nobody has acknowledged), shelved, suppressed (explained by another alarm) or out_of_service."`
	Severity string `enum:"low,medium,high,critical," default:"" placeholder:"SEVERITY" help:"Only alarms at least so severe: low, medium, high or critical."`
	JSON     bool   `name:"json" help:"One JSON object a line instead of a table."`
}

func (l *alarmsList) Run(e *env) error {
	alarms, err := l.ask(e.ctx)
	if l.URL == "" && errors.Is(err, syscall.ECONNREFUSED) {
		fmt.Fprintln(e.stderr, "imdad: the service is not running; this is what its journal says")
		alarms, err = l.read(e)
	}
	if err != nil {
		return err
	}
	if !l.JSON {
		return alarmTable(e.stdout, alarms)
	}
	for _, a := range alarms {
		if err := printJSON(e.stdout, a); err != nil {
			return err
		}
	}
	return nil
}

// ask asks the service.
func (l *alarmsList) ask(ctx context.Context) (alarms []alarm.Alarm, err error) {
	query := url.Values{}
	for name, value := range map[string]string{"zone": l.Zone, "kind": l.Kind, "state": l.State, "severity": l.Severity} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return alarms, l.call(ctx, http.MethodGet, "/api/v1/alarms?"+query.Encode(), nil, &alarms)
}

// read reads the journal that a service has left.
func (l *alarmsList) read(e *env) ([]alarm.Alarm, error) {
	c, _, err := loadConfig(l.Config)
	if err != nil {
		return nil, err
	}
	log := zerolog.New(e.stderr).Level(zerolog.WarnLevel)
	r, err := alarm.OpenReadOnly(e.ctx, filepath.Join(c.DataDir, "alarms.db"), log)
	if err != nil {
		return nil, err
	}
	alarms, err := r.List(e.ctx)
	filter := console.Filter{Zone: l.Zone, Kind: l.Kind, State: alarm.State(l.State), Severity: l.Severity}
	return filter.Apply(alarms), errors.Join(err, r.Close())
}

func printJSON(w io.Writer, line any) error {
	if err := json.NewEncoder(w).Encode(line); err != nil {
		return fmt.Errorf("print a line: %w", err)
	}
	return nil
}

func alarmTable(w io.Writer, alarms []alarm.Alarm) error {
	if len(alarms) == 0 {
		_, err := fmt.Fprintln(w, "no alarms")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SEVERITY\tSTATE\tSINCE\tZONE\tID\tNOTE")
	for _, a := range alarms {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Severity, a.State, a.Since.Local().Format("2006-01-02 15:04:05"), orDash(a.InZone), a.ID, note(a))
	}
	return table.Flush()
}

// note is what the state leaves open.
func note(a alarm.Alarm) string {
	switch a.State {
	case alarm.Acknowledged:
		return "by " + a.AcknowledgedBy
	case alarm.Shelved:
		return fmt.Sprintf("by %s until %s: %s", a.ShelvedBy, a.ShelvedUntil.Local().Format("15:04"), a.ShelvedReason)
	case alarm.Suppressed:
		return "because of " + orDash(a.Cause)
	}
	return ""
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// alarmsFlags name the alarms to act on, and who acts.
type alarmsFlags struct {
	apiFlags
	IDs  []string `arg:"" name:"id" help:"The alarms, as listed."`
	By   string   `env:"USER" placeholder:"NAME" help:"Who acts, if the service asks for no user (default: you, by $USER)."`
	JSON bool     `name:"json" help:"Print each alarm after it as one JSON object a line."`
}

// each acts on every alarm and goes on after a refusal.
func (f *alarmsFlags) each(e *env, action string, words map[string]string) error {
	body := map[string]string{"by": cmp.Or(f.By, os.Getenv("LOGNAME"))}
	maps.Copy(body, words)
	maps.DeleteFunc(body, func(_, word string) bool { return word == "" })
	var errs []error
	for _, id := range slices.Compact(f.IDs) {
		var a alarm.Alarm
		err := f.call(e.ctx, http.MethodPost, "/api/v1/alarms/"+url.PathEscape(id)+"/"+action, body, &a)
		var refused refusal
		switch {
		case errors.As(err, &refused):
			errs = append(errs, fmt.Errorf("%s: %w", id, err))
		case err != nil:
			return errors.Join(append(errs, err)...)
		case f.JSON:
			errs = append(errs, printJSON(e.stdout, a))
		default:
			fmt.Fprintf(e.stdout, "%s is %s\n", a.ID, a.State)
		}
	}
	return errors.Join(errs...)
}

type alarmsAck struct {
	alarmsFlags
	Reason string `placeholder:"TEXT" help:"A word for the journal."`
}

func (a *alarmsAck) Run(e *env) error {
	return a.each(e, "acknowledge", map[string]string{"reason": a.Reason})
}

type alarmsShelve struct {
	alarmsFlags
	For    time.Duration `required:"" placeholder:"D" help:"How long, at most 8h."`
	Reason string        `required:"" placeholder:"TEXT" help:"Why nobody needs to see it."`
}

func (a *alarmsShelve) Run(e *env) error {
	return a.each(e, "shelve", map[string]string{"for": a.For.String(), "reason": a.Reason})
}

type alarmsUnshelve struct{ alarmsFlags }

func (a *alarmsUnshelve) Run(e *env) error { return a.each(e, "unshelve", nil) }

type alarmsReset struct {
	alarmsFlags
	Reason string `placeholder:"TEXT" help:"A word for the journal."`
}

func (a *alarmsReset) Run(e *env) error {
	return a.each(e, "reset", map[string]string{"reason": a.Reason})
}

type alarmsTakeOut struct {
	alarmsFlags
	Reason string `required:"" placeholder:"TEXT" help:"Why nobody needs to see it."`
}

func (a *alarmsTakeOut) Run(e *env) error {
	return a.each(e, "take-out", map[string]string{"reason": a.Reason})
}

type alarmsPutBack struct{ alarmsFlags }

func (a *alarmsPutBack) Run(e *env) error { return a.each(e, "put-back", nil) }
