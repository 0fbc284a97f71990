package alerting

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// Recorder keeps transitions where reports look for them. After a crash it may
// be given the last ones again: the same ones make the same records. An error
// means that nothing of them is stored.
type Recorder interface {
	Record(ctx context.Context, lines []alarm.Transition) error
}

const (
	recorderName  = "recorder"
	recordedFile  = "alarms.recorded" // the number of the last line recorded
	recordAtOnce  = 500
	recordAgainIn = 5 * time.Second // real time
)

// record hands the journal to the recorder, line by line from where it was
// left, until ctx ends. The database is another's business: recording fails
// only while the spool takes nothing.
func (m *Manager) record(ctx context.Context) error {
	if m.opts.Recorder == nil {
		return nil
	}
	wake, stop := m.book.Watch()
	defer stop()
	complaints := m.opts.Log.Sample(&zerolog.BurstSampler{Burst: 1, Period: time.Minute})
	for {
		var again <-chan time.Time
		more, err := m.recordSome(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			complaints.Warn().Err(err).Msg("alarms are not in the database yet; trying again")
			again = time.After(recordAgainIn)
		case more:
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-again:
		}
	}
}

func (m *Manager) recordSome(ctx context.Context) (more bool, err error) {
	lines, err := m.book.Transitions(ctx, m.recorded, recordAtOnce)
	if err != nil || len(lines) == 0 {
		return false, err
	}
	if err := m.opts.Recorder.Record(ctx, lines); err != nil {
		return false, fmt.Errorf("record %d transitions: %w", len(lines), err)
	}
	m.recorded = lines[len(lines)-1].Seq
	m.book.Hold(recorderName, m.recorded)
	return true, saveSeq(filepath.Join(m.opts.DataDir, recordedFile), m.recorded)
}

// loadSeq reads what saveSeq wrote; a missing file is 0. One that cannot be
// understood is too: recording everything again changes nothing.
func loadSeq(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the recorder's place: %w", err)
	}
	seq, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || seq < 0 {
		return 0, nil
	}
	return seq, nil
}

// saveSeq replaces the file whole. It need not outlive a power cut: what is
// recorded twice is recorded once.
func saveSeq(path string, seq int64) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(strconv.FormatInt(seq, 10)+"\n"), 0o600); err != nil {
		return fmt.Errorf("save the recorder's place: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("save the recorder's place: %w", err)
	}
	return nil
}
