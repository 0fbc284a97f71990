package alarm

import (
	"errors"
	"fmt"
	"os"
)

// replace moves a damaged file aside and goes on with a new one: with the
// alarms that the machine knows or, while opening, with those that can be read,
// and with the lines of the journal that can.
func (b *Book) replace(cause error) error {
	if err := b.swap(nil); err != nil {
		b.log.Warn().Err(err).Msg("the damaged alarm journal did not close cleanly")
	}
	aside, err := moveAside(b.opts.Path, b.opts.Now().UTC().Format("20060102T150405Z"))
	if err != nil {
		return errors.Join(cause, err)
	}
	return b.renew(cause, aside)
}

// renew goes on with the file at the path, which is new, after damage; aside is
// where the damaged one is, empty if nothing is to be taken from it.
func (b *Book) renew(cause error, aside string) error {
	s, err := openStore(b.opts.Path)
	if err != nil {
		return errors.Join(cause, err)
	}
	if aside != "" {
		lines, alarms := b.salvage(aside, s)
		b.log.Error().Err(cause).Str("kept_as", aside).Int("transitions", lines).Int("alarms", alarms).
			Msg("the alarm journal is damaged: moved aside, and what could be read taken over")
	}
	if err := b.rewrite(s); err != nil {
		return errors.Join(cause, err, s.close())
	}
	if err := b.swap(s); err != nil || b.loaded {
		return err
	}
	return b.loadRecent()
}

// moveAside renames the file and its log, and returns the new name.
func moveAside(path, stamp string) (string, error) {
	aside := path + ".damaged-" + stamp
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, os.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s.damaged-%s-%d", path, stamp, n)
	}
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// salvage takes what can be read of the damaged file into the new one and, while
// opening, into the machine. What cannot be read has been lost already: errors
// only end the reading.
func (b *Book) salvage(aside string, into *store) (lines, alarms int) {
	old, err := connect(aside, "query_only(1)")
	if err != nil {
		return 0, len(b.machine.records)
	}
	last, lines := old.copyJournal(into)
	if !b.loaded {
		err = b.takeOver(old, last)
	}
	if err = errors.Join(err, old.close()); err != nil {
		b.log.Warn().Err(err).Msg("not all of the damaged alarm journal could be read")
	}
	return lines, len(b.machine.records)
}

// takeOver fills the machine from a damaged file. The number of the last
// transition is the highest that anything tells of.
func (b *Book) takeOver(old *store, last line) error {
	clear(b.machine.records)
	err := old.alarms(background, func(r *record, err error) {
		if err == nil {
			b.machine.records[r.Alarm.Key] = r
		}
	})
	b.machine.seq, b.seen = last.seq, last.time
	if seq, seen, err := old.book(); err == nil {
		b.machine.seq, b.seen = max(b.machine.seq, seq), max(b.seen, seen)
	}
	for _, r := range b.machine.records {
		b.machine.seq = max(b.machine.seq, r.Alarm.Occurrence)
	}
	return err
}

// copyJournal copies the lines that can be read, the newest first, and returns
// the last one's place and how many there are.
func (s *store) copyJournal(into *store) (last line, n int) {
	rows, err := s.db.QueryContext(background, "SELECT seq, time, alarm, crc, body FROM journal ORDER BY seq DESC")
	if err != nil {
		return line{}, 0
	}
	defer func() { _ = rows.Close() }()
	copied := func() error {
		for rows.Next() {
			var (
				at   line
				id   string
				crc  int64
				body []byte
			)
			if rows.Scan(&at.seq, &at.time, &id, &crc, &body) != nil || crc != lineSum(at.seq, body) {
				continue
			}
			if n == 0 {
				last = at
			}
			n++
			if _, err := into.addLine.ExecContext(background, at.seq, at.time, id, crc, string(body)); err != nil {
				return err
			}
		}
		return nil
	}
	if into.transact(copied) != nil {
		return last, 0
	}
	return last, n
}

// rewrite stores everything the machine knows.
func (b *Book) rewrite(s *store) error {
	e := entry{seen: b.seen}
	e.seq = b.machine.seq
	for _, r := range b.machine.records {
		e.dirty = append(e.dirty, &turn{next: *r})
	}
	if _, err := s.write(e); err != nil {
		return err
	}
	var err error
	b.oldest, err = s.first()
	return err
}

// mend replaces a file in which reading has met damage, unless that has been
// done meanwhile.
func (b *Book) mend(s *store, cause error) error {
	b.write.Lock()
	defer b.write.Unlock()
	if b.store != s {
		return nil
	}
	return b.replace(cause)
}
