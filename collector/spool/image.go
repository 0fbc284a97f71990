package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
)

// image is the file with its write-ahead log laid over it, page by page, read
// without SQLite.
type image struct {
	db     *os.File // nil where it is missing
	dbSize int64
	wal    *os.File // nil where there is none
	frames walFrames
}

// walFrames is what a write-ahead log holds.
type walFrames struct {
	pages   map[uint32]int64 // page → offset of its newest committed content
	broken  []int64          // offsets of pages whose frame does not match its checksum
	damaged bool             // a broken frame lies before committed ones: no torn tail
	size    int64
}

const (
	walHeader   = 32
	frameHeader = 24
	maxRounds   = 1 << 24 // each time the log starts over, its first salt grows by one
)

func openImage(path string) (im *image, err error) {
	im = &image{}
	defer func() {
		if err != nil {
			err = errors.Join(err, im.Close())
		}
	}()
	if im.db, im.dbSize, err = openIfThere(path); err != nil {
		return im, err
	}
	if im.wal, im.frames.size, err = openIfThere(path + "-wal"); err != nil || im.wal == nil {
		return im, err
	}
	return im, im.frames.read(im.wal)
}

func openIfThere(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// Close closes both files.
func (im *image) Close() error {
	var err error
	for _, f := range []*os.File{im.db, im.wal} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

func (im *image) size() int64 { return im.dbSize + im.frames.size }

// count is the highest page number.
func (im *image) count() uint32 {
	n := uint32(min((im.dbSize+pageSize-1)/pageSize, 1<<32-1))
	for p := range im.frames.pages {
		n = max(n, p)
	}
	return n
}

// page returns the newest content, filled up with zeros where the file is cut.
func (im *image) page(n uint32) []byte {
	if off, ok := im.frames.pages[n]; ok {
		return readPage(im.wal, off)
	}
	off := (int64(n) - 1) * pageSize
	if n == 0 || im.db == nil || off >= im.dbSize {
		return nil
	}
	return readPage(im.db, off)
}

func readPage(f *os.File, off int64) []byte {
	b := make([]byte, pageSize)
	if n, err := f.ReadAt(b, off); n == 0 && err != nil {
		return nil
	}
	return b
}

// needed reports why the file should not be given to SQLite as it is: it would
// take a log that is damaged in the middle for one that ends there, and throw
// the log of an empty file away.
func (im *image) needed() error {
	if im.frames.damaged {
		return fmt.Errorf("%w: its write-ahead log is broken before its end", errCorrupt)
	}
	if im.dbSize < pageSize && len(im.frames.pages) > 0 {
		return fmt.Errorf("%w: it is empty, its write-ahead log is not", errCorrupt)
	}
	return nil
}

// read goes through the log. Each frame's checksum continues that of the frame
// before, so after a broken frame the chain is taken up from what it claims.
// Every commit is on disk before the next begins: a broken frame that a later
// transaction follows was damaged afterwards, while a last transaction that is
// incomplete was never acknowledged.
func (w *walFrames) read(f *os.File) error {
	w.pages = map[uint32]int64{}
	head := make([]byte, walHeader)
	if _, err := f.ReadAt(head, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	magic := binary.BigEndian.Uint32(head)
	if magic&^1 != 0x377f0682 || binary.BigEndian.Uint32(head[8:]) != pageSize {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if magic&1 == 1 {
		order = binary.BigEndian
	}
	chain := walSum{order: order, a: binary.BigEndian.Uint32(head[24:]), b: binary.BigEndian.Uint32(head[28:])}
	salt, round := string(head[16:24]), binary.BigEndian.Uint32(head[16:])
	frame := make([]byte, frameHeader+pageSize)
	pending := map[uint32]int64{} // of the transaction being read
	broken, closed := false, false
	inside := true // the frame before is of this round of the log
	for off := int64(walHeader); ; off += int64(len(frame)) {
		if n, err := f.ReadAt(frame, off); n < len(frame) {
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		}
		sound := chain.matches(frame)
		ours, commits := string(frame[8:16]) == salt, binary.BigEndian.Uint32(frame[4:]) != 0
		continues := sound && (ours || inside) // else its salt alone is broken
		if earlier := round - binary.BigEndian.Uint32(frame[8:]); !continues && earlier > 0 && earlier < maxRounds {
			return nil // what an earlier round has left behind
		}
		inside = ours || continues
		if !continues {
			broken, closed = true, closed || (ours && commits)
			w.broken = append(w.broken, off+frameHeader)
			continue
		}
		w.damaged = w.damaged || closed
		broken = broken || !ours
		closed = broken && (closed || commits)
		pending[binary.BigEndian.Uint32(frame)] = off + frameHeader
		if commits {
			maps.Copy(w.pages, pending)
			clear(pending)
		}
	}
}

// walSum is the running checksum of a log.
type walSum struct {
	order binary.ByteOrder
	a, b  uint32
}

// matches checks a frame and continues from the checksum that it carries.
func (s *walSum) matches(frame []byte) bool {
	s.add(frame[:8])
	s.add(frame[frameHeader:])
	a, b := binary.BigEndian.Uint32(frame[16:]), binary.BigEndian.Uint32(frame[20:])
	ok := a == s.a && b == s.b
	s.a, s.b = a, b
	return ok
}

func (s *walSum) add(p []byte) {
	for ; len(p) >= 8; p = p[8:] {
		s.a += s.order.Uint32(p) + s.b
		s.b += s.order.Uint32(p[4:]) + s.a
	}
}
