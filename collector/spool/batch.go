package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Origin says where lines came from; the ledger counts them apart.
type Origin string

// The origins.
const (
	Reading Origin = "reading" // from a meter
	Replay  Origin = "replay"  // from quarantine
	Derived Origin = "derived" // computed by the collector
	Alarm   Origin = "alarm"   // a transition of an alarm
)

func (o Origin) valid() bool {
	return o == Reading || o == Replay || o == Derived || o == Alarm
}

// Batch is what one commit stores, all of it or nothing. Any part may be empty:
// messages that yield no line still have their counters to commit.
type Batch struct {
	Lines        []byte // InfluxDB line protocol, each line ended by a newline
	LineCount    int    // newlines in Lines
	Origin       Origin
	Fingerprints []byte  // opaque fixed-size records, for duplicates after a restart
	State        []State // to be remembered, in this order
	Quarantine   []Entry // to be kept; ID, and Time where 0, are set by the spool
	Ledger       Ledger  // increments of what the caller counts
}

func (b *Batch) validate() error {
	switch {
	case b.LineCount < 0 || (b.LineCount == 0) != (len(b.Lines) == 0):
		return fmt.Errorf("spool: %d lines in %d bytes", b.LineCount, len(b.Lines))
	case b.LineCount > 0 && !b.Origin.valid():
		return fmt.Errorf("spool: unknown origin %q", b.Origin)
	case b.LineCount == 0 && len(b.Fingerprints) > 0:
		return errors.New("spool: fingerprints without lines")
	}
	for i := range b.State {
		if err := b.State[i].validate(); err != nil {
			return err
		}
	}
	return nil
}

// need estimates the disk the batch takes, in bytes.
func (b *Batch) need() int64 {
	n := int64(len(b.Lines) + len(b.Fingerprints))
	for i := range b.Quarantine {
		n += b.Quarantine[i].cost()
	}
	for i := range b.State {
		n += b.State[i].need()
	}
	return n + n/64 + 2*pageSize
}

// row is one stored batch.
type row struct {
	id     int64
	time   int64 // ms
	origin Origin
	lines  int64
	crc    int64
	prints []byte
	body   []byte
}

func (r *row) size() int64 { return int64(len(r.prints) + len(r.body)) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the CRC-32C over everything that matters in the row.
func (r *row) sum() int64 {
	var head [8*4 + 8]byte
	binary.LittleEndian.PutUint64(head[0:], uint64(r.id))
	binary.LittleEndian.PutUint64(head[8:], uint64(r.time))
	binary.LittleEndian.PutUint64(head[16:], uint64(r.lines))
	binary.LittleEndian.PutUint64(head[24:], uint64(len(r.prints)))
	copy(head[32:], r.origin)
	crc := crc32.Update(0, castagnoli, head[:])
	crc = crc32.Update(crc, castagnoli, r.prints)
	return int64(crc32.Update(crc, castagnoli, r.body))
}

// cursorSum is the checksum of the cursor's row.
func cursorSum(sink string, position int64) int64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(position))
	return int64(crc32.Update(crc32.Checksum([]byte(sink), castagnoli), castagnoli, b[:]))
}
