package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

type quarantineReplay struct {
	quarantineFlags
	quarantineSelection
	DryRun bool `help:"Only show what would be stored of each entry, or why it would stay."`
}

func (q *quarantineReplay) Run(e *env) (err error) {
	s, err := q.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ids, err := q.ids(e.ctx, s.Spool)
	if err != nil {
		return err
	}
	replayer, err := collector.NewReplayer(e.ctx, s.Spool, s.config.Sources, s.registry)
	if err != nil {
		return err
	}
	gone, stayed := 0, 0
	for _, id := range ids {
		if err := e.ctx.Err(); err != nil {
			return fmt.Errorf("stopped after %d of %d entries", gone+stayed, len(ids))
		}
		if err := q.replay(e, replayer, id); err != nil {
			fmt.Fprintln(e.stderr, err)
			stayed++
			continue
		}
		gone++
	}
	text := "replayed %d, still in quarantine %d\n"
	if q.DryRun {
		text = "would replay %d, and leave %d in quarantine\n"
	}
	fmt.Fprintf(e.stdout, text, gone, stayed)
	if stayed > 0 {
		return reported{errors.New("some entries were rejected again")}
	}
	return nil
}

func (q *quarantineReplay) replay(e *env, r *collector.Replayer, id int64) error {
	if !q.DryRun {
		_, err := r.Replay(e.ctx, id)
		return err
	}
	tried, err := r.Try(e.ctx, id)
	if err != nil {
		return err
	}
	return showTried(e.stdout, &tried)
}

// showTried shows what would be stored of an entry.
func showTried(w io.Writer, t *collector.Tried) error {
	title := fmt.Sprintf("entry %d, %s  %s", t.Entry.ID, t.Entry.Reason, printable(t.Entry.Topic))
	_, err := fmt.Fprintln(w, strings.TrimRight(title, " "))
	switch {
	case err != nil:
		return err
	case t.Entry.Kind == spool.KindLine:
		_, err = fmt.Fprintf(w, "%s\n\n", printable(string(t.Entry.Payload)))
		return err
	case len(t.Readings) == 0:
		_, err = fmt.Fprintf(w, "%s\n\n", noNumber)
		return err
	}
	if err := readingTable(w, t.Readings); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w)
	return err
}
