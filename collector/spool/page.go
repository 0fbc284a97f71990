package spool

import (
	"encoding/binary"
	"math"
)

// This file reads the on-disk format of SQLite (https://www.sqlite.org/fileformat2.html)
// as far as salvage needs it: the records in the leaves of tables. It trusts
// nothing: whatever does not fit is left out, and the checksum in each record
// has the last word.

// Sizes that follow from pageSize, with no reserved bytes at the end of a page.
const (
	maxLocal     = pageSize - 35
	minLocal     = (pageSize-12)*32/255 - 23
	overflowData = pageSize - 4
	leafTable    = 0x0d
)

// pager gives the content of a page, or nil.
type pager interface {
	page(n uint32) []byte
	size() int64 // in bytes, of everything
}

// records calls f with each record in the page, if that is a leaf of a table.
func records(p pager, number uint32, page []byte, f func(rowid int64, values []any)) {
	head := 0
	if number == 1 {
		head = 100
	}
	if len(page) != pageSize || page[head] != leafTable {
		return
	}
	count := int(binary.BigEndian.Uint16(page[head+3:]))
	for i := range count {
		at := head + 8 + 2*i
		if at+2 > pageSize {
			return
		}
		rowid, payload := cell(p, page, int(binary.BigEndian.Uint16(page[at:])))
		if values := record(payload); values != nil {
			f(rowid, values)
		}
	}
}

// cell reads one cell with what it has on overflow pages; nil where it is broken.
func cell(p pager, page []byte, at int) (rowid int64, payload []byte) {
	if at >= len(page) {
		return 0, nil
	}
	length, n := varint(page[at:])
	at += n
	id, m := varint(page[min(at, len(page)):])
	at += m
	if n == 0 || m == 0 || length > uint64(p.size()) {
		return 0, nil
	}
	local := localPart(int(length))
	if at+local > len(page) {
		return 0, nil
	}
	if local == int(length) {
		return int64(id), page[at : at+local]
	}
	if at+local+4 > len(page) {
		return 0, nil
	}
	payload = append(make([]byte, 0, length), page[at:at+local]...)
	next := binary.BigEndian.Uint32(page[at+local:])
	for len(payload) < int(length) {
		over := p.page(next)
		if over == nil {
			return 0, nil
		}
		payload = append(payload, over[4:4+min(overflowData, int(length)-len(payload))]...)
		next = binary.BigEndian.Uint32(over)
	}
	return int64(id), payload
}

// localPart is how much of a payload lies in the leaf itself.
func localPart(length int) int {
	if length <= maxLocal {
		return length
	}
	if k := minLocal + (length-minLocal)%overflowData; k <= maxLocal {
		return k
	}
	return minLocal
}

// record decodes the values: nil, int64, float64, string or []byte. Nil means
// that it is no record.
func record(payload []byte) []any {
	size, n := varint(payload)
	if n == 0 || size < uint64(n) || size > uint64(len(payload)) {
		return nil
	}
	head, body := payload[n:size], payload[size:]
	var values []any
	for len(head) > 0 {
		serial, n := varint(head)
		if n == 0 {
			return nil
		}
		head = head[n:]
		v, used, ok := value(serial, body)
		if !ok {
			return nil
		}
		values, body = append(values, v), body[used:]
	}
	return values
}

// intSizes are the bytes of the serial types 0 to 9.
var intSizes = [...]int{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}

func value(serial uint64, body []byte) (v any, used int, ok bool) {
	if serial >= 12 {
		n := (serial - 12) / 2
		if n > uint64(len(body)) {
			return nil, 0, false
		}
		if serial%2 == 0 {
			return body[:n:n], int(n), true
		}
		return string(body[:n]), int(n), true
	}
	if serial > 9 || intSizes[serial] > len(body) {
		return nil, 0, false
	}
	n := intSizes[serial]
	switch serial {
	case 0:
		return nil, 0, true
	case 7:
		return math.Float64frombits(binary.BigEndian.Uint64(body)), n, true
	case 8, 9:
		return int64(serial - 8), 0, true
	}
	i := int64(int8(body[0]))
	for _, b := range body[1:n] {
		i = i<<8 | int64(b)
	}
	return i, n, true
}

// varint reads SQLite's big-endian variable-length integer; n is 0 where there
// is none.
func varint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 8 {
		v = v<<7 | uint64(b[n]&0x7f)
		n++
		if b[n-1] < 0x80 {
			return v, n
		}
	}
	if n == 8 && len(b) > 8 {
		return v<<8 | uint64(b[8]), 9
	}
	return 0, 0
}

// pageSet is a set of page numbers, one bit each.
type pageSet []uint64

func (s pageSet) has(n uint32) bool { return int(n/64) < len(s) && s[n/64]>>(n%64)&1 == 1 }

// add reports false where n is no page of the file, or is in the set already.
func (s pageSet) add(n uint32) bool {
	if n == 0 || int(n/64) >= len(s) || s.has(n) {
		return false
	}
	s[n/64] |= 1 << (n % 64)
	return true
}

// freePages is what the file says holds nothing any more, so that what was
// deleted stays deleted. Nil where its list is not to be trusted.
func freePages(p pager) pageSet {
	first := p.page(1)
	if first == nil || string(first[:16]) != "SQLite format 3\x00" {
		return nil
	}
	free := make(pageSet, p.size()/pageSize/64+2)
	left := int64(binary.BigEndian.Uint32(first[36:]))
	for trunk := binary.BigEndian.Uint32(first[32:]); trunk != 0; {
		page := p.page(trunk)
		if page == nil || !free.add(trunk) {
			return nil
		}
		n := int(binary.BigEndian.Uint32(page[4:]))
		if n > pageSize/4-2 {
			return nil
		}
		for i := range n {
			if !free.add(binary.BigEndian.Uint32(page[8+4*i:])) {
				return nil
			}
		}
		left -= int64(n) + 1
		trunk = binary.BigEndian.Uint32(page)
	}
	if left != 0 {
		return nil
	}
	return free
}
