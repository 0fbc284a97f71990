package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
)

type decodeCmd struct {
	Topic    string    `required:"" help:"The topic the message came under." placeholder:"T"`
	Profile  string    `help:"The payload profile: of the sources in --config only those with it, or without a configuration the profile alone." placeholder:"P"`
	Config   string    `help:"The configuration file of the service, for its sources." placeholder:"FILE"`
	Retained bool      `help:"The broker had kept the message."`
	Received time.Time `help:"When it was received, such as 2026-11-23T08:15:00Z (default: now)." placeholder:"TIME"`
	JSON     bool      `name:"json" help:"One JSON object a reading instead of a table."`
}

// Help is shown by imdad decode --help.
func (decodeCmd) Help() string {
	return fmt.Sprintf(`Reads one payload from standard input and prints what the collector would make of it, or why it would refuse it:

  imdad decode --profile tasmota --topic tele/plug/SENSOR < payload.json

Without a configuration, zone and meter are called so where neither topic nor payload names them. The quality is what
vetting would give to the first reading of a meter. Nothing is stored. Exit code 1 if the message is refused.

Profiles: %s. Each has a page in configs/profiles/.`, strings.Join(decode.Profiles(), ", "))
}

// Validate is called by the parser.
func (d *decodeCmd) Validate() error {
	switch {
	case d.Profile == "" && d.Config == "":
		return errors.New("name a profile with --profile, or a configuration with --config")
	case d.Profile != "" && !slices.Contains(decode.Profiles(), d.Profile):
		return fmt.Errorf("--profile: unknown profile %q; known: %s", d.Profile, strings.Join(decode.Profiles(), ", "))
	}
	return nil
}

// maxTried bounds what is read from standard input: more than any profile
// takes.
const maxTried = 16 << 20

func (d *decodeCmd) Run(e *env) error {
	sources, err := d.sources(e)
	if err != nil {
		return err
	}
	payload, err := io.ReadAll(io.LimitReader(e.stdin, maxTried))
	if err != nil {
		return fmt.Errorf("read the payload: %w", err)
	}
	if d.Received.IsZero() {
		d.Received = time.Now()
	}
	received := d.Received.UnixMilli()
	var out decode.Readings
	result, err := trial(sources, decode.Message{Topic: d.Topic, Payload: payload, Retained: d.Retained, Received: received}, &out)
	var reject *decode.Reject
	if errors.As(err, &reject) {
		return d.refused(e, reject)
	}
	if result != decode.Decoded {
		return d.nothing(e, result)
	}
	vetter := vet.New(nil)
	for i := range out.All() {
		vetter.Check(&out.All()[i], received, nil)
	}
	if d.JSON {
		return readingLines(e.stdout, out.All())
	}
	return readingTable(e.stdout, out.All())
}

// trial decodes one message as if nothing had come before it.
func trial(sources []decode.Source, m decode.Message, out *decode.Readings) (decode.Result, error) {
	return decode.New(sources, meter.NewCatalog(maxTriedMeters)).Decode(m, out)
}

// maxTriedMeters bounds the meters of one message.
const maxTriedMeters = 1 << 16

// sources returns those of the configuration, or one made up.
func (d *decodeCmd) sources(e *env) ([]decode.Source, error) {
	if d.Config == "" {
		s := decode.Sketch(d.Profile, d.Topic)
		return []decode.Source{s}, errors.Join(s.Validate()...)
	}
	c, err := loadSetup(d.Config)
	if err != nil {
		fmt.Fprintln(e.stderr, err)
		return nil, reported{err}
	}
	if d.Profile == "" {
		return c.Sources, nil
	}
	return slices.DeleteFunc(c.Sources, func(s decode.Source) bool { return s.Profile != d.Profile }), nil
}

func (d *decodeCmd) refused(e *env, r *decode.Reject) error {
	if d.JSON {
		err := json.NewEncoder(e.stdout).Encode(map[string]string{"refused": string(r.Reason), "detail": r.Detail})
		return errors.Join(err, reported{r})
	}
	fmt.Fprintf(e.stdout, "refused  %s\n         %s\n", r.Reason, printable(r.Detail))
	return reported{r}
}

// noNumber says what is in a message without readings.
const noNumber = "no number to store: a birth, a will, a status, a command or words alone"

// nothing says what became of a message without readings.
func (d *decodeCmd) nothing(e *env, result decode.Result) error {
	name, why := "control", noNumber
	if result == decode.Ignored {
		name, why = "ignored", "retained, and without a time of its own: nobody can say when it was true"
	}
	if d.JSON {
		return json.NewEncoder(e.stdout).Encode(map[string]string{"result": name, "detail": why})
	}
	_, err := fmt.Fprintf(e.stdout, "%s  %s\n", name, why)
	return err
}

// unitOf is the unit in a register's name; empty if there is none.
func unitOf(register string) string {
	u, _ := meter.RegisterUnit(register)
	return u.Symbol
}

func readingTable(w io.Writer, readings []meter.Reading) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ZONE\tUTILITY\tMETER\tTIME\tQUALITY\tREGISTER\tVALUE\tUNIT")
	for i := range readings {
		r := &readings[i]
		for _, v := range r.Values {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Series.Zone, r.Series.Utility, r.Series.Meter,
				instant(r.Time).Format(time.RFC3339Nano), r.Quality, v.Register, decimal(v.Value), unitOf(v.Register))
		}
	}
	return table.Flush()
}

// decimal writes a value with as many digits as it has.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// readingJSON is a reading for scripts.
type readingJSON struct {
	Zone       string             `json:"zone"`
	Utility    meter.Utility      `json:"utility"`
	Meter      string             `json:"meter"`
	Time       time.Time          `json:"time"`
	DeviceTime *time.Time         `json:"device_time,omitempty"` // where it could not be believed
	Seq        *int64             `json:"seq,omitempty"`
	Quality    string             `json:"quality"`
	Historical bool               `json:"historical,omitempty"`
	Values     map[string]float64 `json:"values"`
	Units      map[string]string  `json:"units"`
}

func readingLines(w io.Writer, readings []meter.Reading) error {
	encoder := json.NewEncoder(w)
	for i := range readings {
		r := &readings[i]
		j := readingJSON{
			Zone: r.Series.Zone, Utility: r.Series.Utility, Meter: r.Series.Meter, Time: instant(r.Time), Quality: r.Quality.String(),
			Historical: r.Historical, Values: make(map[string]float64), Units: make(map[string]string),
		}
		if at := instant(r.DeviceTime); r.Stamped && at.Year() >= 0 && at.Year() <= 9999 { // what JSON can say
			j.DeviceTime = &at
		}
		if r.HasSeq {
			j.Seq = &r.Seq
		}
		for _, v := range r.Values {
			j.Values[v.Register] = v.Value
			if unit := unitOf(v.Register); unit != "" {
				j.Units[v.Register] = unit
			}
		}
		if err := encoder.Encode(j); err != nil {
			return err
		}
	}
	return nil
}
