package spool

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// How the disk is used. Between two checkpoints the write-ahead log holds up to
// checkpointPages; all of them may be new to the main file, which the next
// checkpoint then grows by as much. So nothing that grows the file is accepted
// unless that much is free beside the reserve, and the log's own room is
// allocated from the start.
const (
	checkpointPages = 2000
	walBytes        = 16 << 20
	growthMargin    = 24 << 20 // free on the disk, for the file to grow
	reuseSlack      = 1 << 20  // free pages kept when the file must not grow
	reuseResume     = 4 << 20  // free pages at which a full disk accepts again
	roomEvery       = 1 << 20  // written bytes between two looks at the room
	retryEvery      = time.Second
)

// refusal is why nothing is accepted at the moment.
type refusal struct {
	err   error
	since time.Time
}

// room is what was last seen of the file and the disk.
type room struct {
	looked    bool
	unseen    int64 // bytes written since
	used      int64 // bytes in used pages
	free      int64 // bytes in free pages
	diskFree  int64 // bytes, beside the reserve
	lastProbe time.Time
}

// stallAfter is how long a commit may take until it counts as held up.
const stallAfter = 5 * time.Second

// Accepting reports whether Append has a chance. It is cheap.
func (s *Spool) Accepting() bool { return s.Refusing() == "" }

// Refusing says why nothing is accepted, or "".
func (s *Spool) Refusing() string {
	if s.closed.Load() {
		return ErrClosed.Error()
	}
	if r := s.refusal.Load(); r != nil {
		return r.err.Error()
	}
	if began := s.committing.Load(); began != 0 {
		if took := time.Since(time.Unix(0, began)); took > stallAfter {
			return fmt.Sprintf("a commit has been under way for %.0f s: the disk, or another process, holds it up", took.Seconds())
		}
	}
	return ""
}

// admit decides before anything is written whether need bytes may be stored.
func (s *Spool) admit(need int64) error {
	if s.attached {
		return s.admitAttached()
	}
	if r := s.refusal.Load(); r != nil {
		if time.Since(s.tidy.room.lastProbe) >= retryEvery {
			s.tidyUp()
		}
		if r = s.refusal.Load(); r != nil {
			return r.err
		}
	}
	rm := &s.tidy.room
	if !rm.looked || rm.unseen+need >= roomEvery || (rm.unseen > 0 && s.noRoom(need) != nil) {
		if err := s.look(); err != nil {
			s.fail(err)
			return err
		}
	}
	if err := s.noRoom(need); err != nil {
		return s.refuse(err)
	}
	return nil
}

// noRoom says why need bytes cannot be stored, or nil, by what is known of the
// room. What was written since the last look counts for more than it takes, so
// that a refusal needs a new look.
func (s *Spool) noRoom(need int64) error {
	rm := &s.tidy.room
	if s.backlogBytes()+rm.unseen >= int64(s.opts.Config.MaxBytes) {
		return fmt.Errorf("%w of %s", ErrFull, s.opts.Config.MaxBytes)
	}
	if rm.diskFree < growthMargin && rm.free-rm.unseen < need+reuseSlack {
		return ErrDiskFull
	}
	return nil
}

func (s *Spool) admitAttached() error {
	if err := errors.Join(s.look(), s.readKept()); err != nil {
		return err
	}
	if s.backlogBytes() >= int64(s.opts.Config.MaxBytes) {
		return fmt.Errorf("%w of %s", ErrFull, s.opts.Config.MaxBytes)
	}
	return nil
}

// backlogBytes is what the cap is about: the used pages without what quarantine
// and fingerprints take, which have bounds of their own.
func (s *Spool) backlogBytes() int64 {
	return max(0, s.tidy.room.used-s.tidy.kept.bytes-s.tidy.printBytes)
}

// look measures the file and the disk.
func (s *Spool) look() error {
	pages, err := number(s.w.allPages)
	if err != nil {
		return fmt.Errorf("measure the spool: %w", err)
	}
	free, err := number(s.w.freePages)
	if err != nil {
		return fmt.Errorf("measure the spool: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(s.opts.Dir, &fs); err != nil {
		return fmt.Errorf("measure the disk: %w", err)
	}
	rm := &s.tidy.room
	rm.looked, rm.unseen = true, 0
	rm.used, rm.free = (pages-free)*pageSize, free*pageSize
	rm.diskFree = int64(fs.Bavail) * int64(fs.Bsize)
	return nil
}

func (s *Spool) refuse(err error) error {
	old := s.refusal.Load()
	if old == nil || !sameReason(old.err, err) {
		s.log.Error().Err(err).Int64("backlog_bytes", s.backlogBytes()).Int64("disk_free_bytes", s.tidy.room.diskFree).
			Int64("pending_lines", s.tidy.pendingLines).Msg("the spool accepts nothing more")
		s.refusal.Store(&refusal{err: err, since: time.Now()})
	}
	s.tidy.room.lastProbe = time.Now()
	return err
}

func sameReason(a, b error) bool {
	for _, kind := range []error{ErrFull, ErrDiskFull, ErrMedium, errCorrupt} {
		if errors.Is(a, kind) || errors.Is(b, kind) {
			return errors.Is(a, kind) && errors.Is(b, kind)
		}
	}
	return true
}

// fail takes note of an error of a commit. Those of the disk make the spool
// refuse until a commit has gone through again.
func (s *Spool) fail(err error) {
	switch {
	case errors.Is(err, errCorrupt) && !s.attached:
		s.salvageLive(err)
	case errors.Is(err, ErrDiskFull), errors.Is(err, ErrMedium):
		s.tidy.room.looked = false
		_ = s.refuse(err)
	default:
		s.log.Warn().Err(err).Msg("spool commit failed, will be tried again")
	}
}

// recoverRoom ends a refusal when its reason has gone, with a margin so that it
// does not return at once.
func (s *Spool) recoverRoom() {
	r := s.refusal.Load()
	if r == nil {
		return
	}
	s.tidy.room.lastProbe = time.Now()
	if errors.Is(r.err, ErrMedium) {
		if err := s.probe(); err != nil {
			return
		}
	}
	if errors.Is(r.err, ErrDiskFull) {
		// The log may hold pages that the main file must grow for. It grows
		// into the reserve, or else the log could never start over.
		err := s.checkpoint()
		if errors.Is(err, ErrDiskFull) && s.reserve.spend(&s.log) {
			err = s.checkpoint()
		}
		if err != nil || !s.reserve.restore(&s.log) {
			return
		}
	}
	if err := s.look(); err != nil {
		return
	}
	rm, limit := &s.tidy.room, int64(s.opts.Config.MaxBytes)
	if s.backlogBytes() > limit-limit/16 || (rm.diskFree < growthMargin && rm.free < reuseResume) {
		return
	}
	s.refusal.Store(nil)
	s.log.Info().Dur("refused_for", time.Since(r.since)).Int64("disk_free_bytes", rm.diskFree).
		Int64("free_page_bytes", rm.free).Msg("the spool accepts again")
}

// probe writes without changing anything.
func (s *Spool) probe() error {
	return s.w.transact(func() error {
		_, err := s.w.conn.ExecContext(background, "UPDATE ledger SET id=1 WHERE id=1")
		return err
	})
}

// checkpoint moves the log into the main file as far as readers let it, so that
// the log starts over instead of growing.
func (s *Spool) checkpoint() error {
	var busy, frames, moved int64
	err := s.w.conn.QueryRowContext(background, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &moved)
	if err != nil {
		return fmt.Errorf("checkpoint the spool: %w", classify(err))
	}
	return nil
}

// makeRoom sets the reserve and the log's room aside. Where the disk has not
// even that, the spool starts refusing, and delivers.
func (s *Spool) makeRoom() {
	if err := preallocate(s.opts.file("-wal"), walBytes); err != nil {
		s.log.Warn().Err(err).Msg("no room could be allocated for the spool's write-ahead log")
	}
	if !s.reserve.restore(&s.log) {
		_ = s.refuse(ErrDiskFull)
	}
}
