package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

type alarmsCmd struct {
	List     alarmsList     `cmd:"" help:"List the alarms that are not normal, the worst first."`
	Ack      alarmsAck      `cmd:"" help:"Take note of alarms: reminders and escalation stop."`
	Shelve   alarmsShelve   `cmd:"" help:"Silence an alarm for a while, at most 8 hours, with a reason."`
	Unshelve alarmsUnshelve `cmd:"" help:"End the silence of alarms."`
	Reset    alarmsReset    `cmd:"" help:"End latched alarms, such as a suspected burst, once the cause is mended."`
}

// Help is shown by imdad alarms --help.
func (alarmsCmd) Help() string {
	return `Speaks to a running service over HTTP: the one that the configuration describes, or the one at --url. Alarms are named by
their id, as listed: elec.outage:sn-f03.`
}

// apiFlags say where the service is and who speaks.
type apiFlags struct {
	Config   string `placeholder:"FILE" help:"The configuration file of the service, which says where it listens."`
	URL      string `placeholder:"URL" help:"Where the service is, if not where its configuration says (behind a proxy, with TLS)."`
	User     string `placeholder:"NAME" help:"User name, where the service asks for one (http.web_config)."`
	Password string `env:"IMDAD_PASSWORD" placeholder:"TEXT" help:"Its password; better given in the environment."`
}

// base is the service's address.
func (f apiFlags) base() (string, error) {
	switch {
	case f.URL != "":
		u, err := url.Parse(f.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", fmt.Errorf("--url: %q is no address; write http://HOST:PORT", f.URL)
		}
		return strings.TrimSuffix(f.URL, "/"), nil
	case f.Config == "":
		return "", errors.New("where is the service? give --config FILE or --url URL")
	}
	c, err := loadSetup(f.Config)
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(c.HTTP.Listen)
	switch {
	case err != nil:
		return "", fmt.Errorf("http.listen: %w", err)
	case port == "0":
		return "", errors.New("http.listen has port 0, so that only the service knows where it listens; give --url")
	case host == "" || host == "0.0.0.0" || host == "::":
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// apiTimeout bounds one request: people wait for it.
const apiTimeout = 15 * time.Second

// call asks the service and decodes its answer into out.
func (f apiFlags) call(ctx context.Context, method, path string, in, out any) error {
	base, err := f.base()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if f.User != "" {
		r.SetBasicAuth(f.User, f.Password)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the service: %w; is it running?", err)
	}
	defer func() { _ = answer.Body.Close() }() // read to its end or given up
	const most = 64 << 20
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return fmt.Errorf("read the service's answer: %w", err)
	}
	if answer.StatusCode >= 300 {
		return apiError(answer.StatusCode, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("understand the service's answer: %w", err)
	}
	return nil
}

// apiError is what the service says is wrong.
func apiError(code int, body []byte) error {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		return fmt.Errorf("the service refuses: %d %s", code, http.StatusText(code))
	}
	text := problem.Detail
	for _, e := range problem.Errors {
		text += "; " + strings.TrimSpace(e.Location+" "+e.Message)
	}
	return fmt.Errorf("the service refuses: %s", text)
}

type alarmsList struct {
	apiFlags
	Zone     string `placeholder:"ID" help:"Only this zone's."`
	Kind     string `placeholder:"KIND" help:"Only alarms of this kind, such as elec.outage."`
	State    string `enum:"unacknowledged,acknowledged,returned,shelved,suppressed,out_of_service," default:"" placeholder:"STATE" help:"Only alarms in this state: unacknowledged, acknowledged, returned, shelved, suppressed or out_of_service."`
	Severity string `enum:"low,medium,high,critical," default:"" placeholder:"SEVERITY" help:"Only alarms at least so severe: low, medium, high or critical."`
	JSON     bool   `name:"json" help:"One JSON object a line instead of a table."`
}

func (l *alarmsList) Run(e *env) error {
	query := url.Values{}
	for name, value := range map[string]string{"zone": l.Zone, "kind": l.Kind, "state": l.State, "severity": l.Severity} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var alarms []alarm.Alarm
	if err := l.call(e.ctx, http.MethodGet, "/api/v1/alarms?"+query.Encode(), nil, &alarms); err != nil {
		return err
	}
	if l.JSON {
		encoder := json.NewEncoder(e.stdout)
		for _, a := range alarms {
			if err := encoder.Encode(a); err != nil {
				return fmt.Errorf("print alarms: %w", err)
			}
		}
		return nil
	}
	return alarmTable(e.stdout, alarms)
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
	IDs []string `arg:"" name:"id" help:"The alarms, as listed."`
	By  string   `env:"USER" placeholder:"NAME" help:"Who acts (default: you, by $USER)."`
}

// each acts on every alarm and goes on after a refusal.
func (f *alarmsFlags) each(e *env, action string, body map[string]any) error {
	if f.By == "" {
		f.By = os.Getenv("LOGNAME")
	}
	var errs []error
	for _, id := range f.IDs {
		body["by"] = f.By
		var a alarm.Alarm
		if err := f.call(e.ctx, http.MethodPost, "/api/v1/alarms/"+url.PathEscape(id)+"/"+action, body, &a); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", id, err))
			continue
		}
		fmt.Fprintf(e.stdout, "%s is %s\n", a.ID, a.State)
	}
	return errors.Join(errs...)
}

type alarmsAck struct {
	alarmsFlags
	Reason string `placeholder:"TEXT" help:"A word for the journal."`
}

func (a *alarmsAck) Run(e *env) error {
	return a.each(e, "acknowledge", map[string]any{"reason": a.Reason})
}

type alarmsShelve struct {
	alarmsFlags
	For    time.Duration `required:"" placeholder:"D" help:"How long, at most 8h."`
	Reason string        `required:"" placeholder:"TEXT" help:"Why nobody needs to see it."`
}

func (a *alarmsShelve) Run(e *env) error {
	return a.each(e, "shelve", map[string]any{"for": a.For.String(), "reason": a.Reason})
}

type alarmsUnshelve struct{ alarmsFlags }

func (a *alarmsUnshelve) Run(e *env) error { return a.each(e, "unshelve", map[string]any{}) }

type alarmsReset struct {
	alarmsFlags
	Reason string `placeholder:"TEXT" help:"A word for the journal."`
}

func (a *alarmsReset) Run(e *env) error {
	return a.each(e, "reset", map[string]any{"reason": a.Reason})
}
