package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

type quarantineCmd struct {
	List    quarantineList    `cmd:"" help:"List entries, oldest first."`
	Show    quarantineShow    `cmd:"" help:"Show one entry whole, with its raw bytes."`
	Replay  quarantineReplay  `cmd:"" help:"Try entries again after their cause is mended; what is stored leaves quarantine."`
	Drop    quarantineDrop    `cmd:"" help:"Throw entries away."`
	Reasons quarantineReasons `cmd:"" help:"Explain the reason codes."`
}

// Help is shown by imdad quarantine --help.
func (quarantineCmd) Help() string {
	return `Works beside a running service and without one. Entries are selected by id, or with --all and the filters.`
}

// quarantineFlags open the quarantine of a configuration.
type quarantineFlags struct {
	Config string `required:"" help:"The configuration file of the service." placeholder:"FILE"`
}

// open attaches to the data folder; the caller closes the spool.
func (f quarantineFlags) open(e *env) (*quarantined, error) {
	c, registry, _, err := loadRegistry(f.Config)
	if err != nil {
		fmt.Fprintln(e.stderr, err)
		return nil, reported{err}
	}
	s, err := attach(e, &c)
	if err != nil {
		return nil, err
	}
	return &quarantined{Spool: s, config: c, registry: registry}, nil
}

// attach opens the spool in the data folder beside a service.
func attach(e *env, c *config) (*spool.Spool, error) {
	if _, err := os.Stat(c.DataDir); err != nil {
		return nil, fmt.Errorf("open the data folder (data_dir), which imdad run makes: %w", err)
	}
	return spool.Attach(e.ctx, spool.Options{
		Dir: c.DataDir, Config: c.Spool, Quarantine: c.Quarantine, Now: time.Now,
		Log: zerolog.New(e.stderr).Level(zerolog.WarnLevel),
	})
}

// quarantined is an attached spool with the configuration it belongs to.
type quarantined struct {
	*spool.Spool
	config   config
	registry *zone.Registry
}

// quarantineFilter narrows a selection down.
type quarantineFilter struct {
	Reason string `help:"Only entries with this reason code." placeholder:"CODE"`
	Kind   string `help:"Only messages that could not be decoded, or only lines that the database refused (message, line)." enum:"message,line," default:"" placeholder:"KIND"`
	Topic  string `help:"Only entries whose topic contains this text." placeholder:"TEXT"`
}

func (f quarantineFilter) filter() spool.Filter {
	return spool.Filter{Reason: f.Reason, Kind: f.Kind, Topic: f.Topic}
}

// each walks the selected entries page by page.
func (f quarantineFilter) each(ctx context.Context, s *spool.Spool, do func(spool.Entry) error) error {
	page := spool.Page{Limit: 500}
	for {
		list, err := s.List(ctx, f.filter(), page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, entry := range list {
			if err := do(entry); err != nil {
				return err
			}
		}
		page.After = list[len(list)-1].ID
	}
}

type quarantineList struct {
	quarantineFlags
	quarantineFilter
	Limit int  `help:"At most this many entries; 0 for all (default: 100)." default:"100" placeholder:"N"`
	JSON  bool `name:"json" help:"One JSON object a line instead of a table."`
}

// errEnough ends a walk early.
var errEnough = errors.New("enough")

func (q *quarantineList) Run(e *env) (err error) {
	s, err := q.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	table := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	show := func(entry spool.Entry) error { return tableRow(table, &entry) }
	if q.JSON {
		encoder := json.NewEncoder(e.stdout)
		show = func(entry spool.Entry) error { return encoder.Encode(newEntryJSON(&entry)) }
	} else {
		fmt.Fprintln(table, "ID\tTIME\tREASON\tBYTES\tTOPIC\tDETAIL")
	}
	n := 0
	err = q.each(e.ctx, s.Spool, func(entry spool.Entry) error {
		if q.Limit > 0 && n == q.Limit {
			return errEnough
		}
		n++
		return show(entry)
	})
	if errors.Is(err, errEnough) {
		defer fmt.Fprintf(e.stderr, "the first %d entries; --limit 0 shows all\n", n)
		err = nil
	}
	return errors.Join(err, table.Flush())
}

func tableRow(w io.Writer, e *spool.Entry) error {
	_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\n", e.ID, instant(e.Time).Format(time.RFC3339), e.Reason, e.Size,
		printable(e.Topic), printable(e.Detail))
	return err
}

// printable keeps what came from outside from driving a terminal. What is text
// in any language stays as it is.
func printable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	return fmt.Sprintf("%+q", s)
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

type quarantineShow struct {
	quarantineFlags
	ID   int64 `arg:"" help:"The entry's id, as list shows it."`
	Raw  bool  `help:"Write nothing but the payload's bytes."`
	JSON bool  `name:"json" help:"One JSON object; the payload is in base64."`
}

func (q *quarantineShow) Run(e *env) (err error) {
	s, err := q.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	entry, err := s.Get(e.ctx, q.ID)
	if err != nil {
		return err
	}
	switch {
	case q.Raw:
		_, err = e.stdout.Write(entry.Payload)
	case q.JSON:
		j := newEntryJSON(&entry)
		j.Payload = entry.Payload
		err = json.NewEncoder(e.stdout).Encode(j)
	default:
		err = showEntry(e.stdout, &entry)
	}
	return err
}

func showEntry(w io.Writer, e *spool.Entry) error {
	var b strings.Builder
	fmt.Fprintf(&b, "entry     %d (%s)\nreason    %s\ndetail    %s\nkept      %s\n", e.ID, e.Kind, e.Reason, printable(e.Detail), instant(e.Time).Format(time.RFC3339Nano))
	if e.Kind == spool.KindMessage {
		fmt.Fprintf(&b, "topic     %s\nreceived  %s, QoS %d, retained %v\n", printable(e.Topic), instant(e.Received).Format(time.RFC3339Nano), e.QoS, e.Retained)
	}
	fmt.Fprintf(&b, "size      %d bytes\n", e.Size)
	if e.Truncated() {
		fmt.Fprintf(&b, "sha256    %x (only the first %d bytes are kept)\n", e.SHA256, len(e.Payload))
	}
	b.WriteString("\n")
	if isText(e.Payload) {
		b.Write(e.Payload)
	} else {
		fmt.Fprintf(&b, "%+q", e.Payload)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// isText tells whether a payload can be shown as it stands: letters of any
// script and line breaks, but nothing that drives a terminal.
func isText(payload []byte) bool {
	return utf8.Valid(payload) && !bytes.ContainsFunc(payload, func(r rune) bool {
		return r != '\n' && r != '\t' && !unicode.IsPrint(r)
	})
}

// entryJSON is an entry for scripts.
type entryJSON struct {
	ID       int64     `json:"id"`
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"`
	Reason   string    `json:"reason"`
	Detail   string    `json:"detail"`
	Topic    string    `json:"topic,omitempty"`
	Received time.Time `json:"received,omitzero"`
	QoS      byte      `json:"qos"`
	Retained bool      `json:"retained"`
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256,omitempty"`
	Payload  []byte    `json:"payload,omitempty"`
}

func newEntryJSON(e *spool.Entry) entryJSON {
	j := entryJSON{
		ID: e.ID, Time: instant(e.Time), Kind: e.Kind, Reason: e.Reason, Detail: e.Detail,
		Topic: e.Topic, QoS: e.QoS, Retained: e.Retained, Size: e.Size,
	}
	if e.Kind == spool.KindMessage {
		j.Received = instant(e.Received)
	}
	if e.Truncated() {
		j.SHA256 = fmt.Sprintf("%x", e.SHA256)
	}
	return j
}

// quarantineSelection names entries, or all that pass the filters.
type quarantineSelection struct {
	IDs []int64 `arg:"" optional:"" name:"id" help:"The entries' ids, as list shows them."`
	All bool    `help:"All entries that pass the filters."`
	quarantineFilter
}

// Validate is called by the parser.
func (q quarantineSelection) Validate() error {
	switch {
	case q.All == (len(q.IDs) > 0):
		return errors.New("name entries by id, or say --all (with filters to select)")
	case !q.All && q.quarantineFilter != (quarantineFilter{}):
		return errors.New("filters go with --all, not with ids")
	}
	return nil
}

// ids returns what is selected, as of now.
func (q quarantineSelection) ids(ctx context.Context, s *spool.Spool) ([]int64, error) {
	if !q.All {
		return q.IDs, nil
	}
	var ids []int64
	err := q.each(ctx, s, func(e spool.Entry) error {
		ids = append(ids, e.ID)
		return nil
	})
	return ids, err
}

type quarantineDrop struct {
	quarantineFlags
	quarantineSelection
}

func (q *quarantineDrop) Run(e *env) (err error) {
	s, err := q.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var n int64
	if q.All {
		n, err = s.DropAll(e.ctx, q.filter())
	} else {
		n, err = s.Drop(e.ctx, q.IDs...)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "dropped %d\n", n)
	if !q.All && n < int64(len(q.IDs)) {
		return fmt.Errorf("%d of %d ids are not in quarantine", int64(len(q.IDs))-n, len(q.IDs))
	}
	return nil
}

type quarantineReasons struct{}

func (quarantineReasons) Run(e *env) error {
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	for _, r := range decode.Reasons {
		fmt.Fprintf(w, "%s\t%s\n", r.Reason, r.Meaning)
	}
	fmt.Fprintf(w, "refused\tthe database refused the line; the detail gives its words\n")
	return w.Flush()
}
