package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"unicode/utf8"
)

const (
	// maxYAML bounds a YAML file, in bytes: its syntax tree costs about a
	// hundred times as much memory. Long lists of meters belong in CSV.
	maxYAML = 2 << 20
	// maxCSV bounds a CSV file, in bytes: about a million meters.
	maxCSV = 64 << 20
)

// mark is the byte order mark that some programs begin a text with.
const mark = "\ufeff"

// source is a file's text, and what turns byte offsets into positions.
type source struct {
	file   string
	text   []byte // UTF-8, lines end with \n
	starts []int  // byte offset of each line
}

// readSource reads a file of at most limit bytes.
func readSource(file string, limit int64) (*source, Mistakes) {
	data, err := readBounded(file, limit)
	if err != nil {
		return nil, Mistakes{mistakeIn(file, "%v", err)}
	}
	return newSource(file, data)
}

func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, reason(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, reason(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("larger than %d MiB; split it", limit>>20)
	}
	return data, nil
}

// reason strips the file's name from an error that will be printed behind it.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("cannot %s: %w", pe.Op, pe.Err)
	}
	return err
}

// newSource takes a byte order mark and carriage returns away and refuses what
// is not text. The mistakes, if any, are all of them.
func newSource(file string, data []byte) (*source, Mistakes) {
	data = bytes.TrimPrefix(data, []byte(mark))
	if bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	}
	s := &source{file: file, text: data, starts: []int{0}}
	for i, c := range data {
		if c == '\n' {
			s.starts = append(s.starts, i+1)
		}
	}
	return s, s.checkText()
}

// checkText reports the first bad character of each kind: a binary file has
// thousands, and they say nothing more.
func (s *source) checkText() Mistakes {
	var ms Mistakes
	var encoding, control bool
	for i := 0; i < len(s.text); {
		c := s.text[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(s.text[i:])
		switch {
		case r == utf8.RuneError && n == 1 && !encoding:
			encoding = true
			ms = append(ms, Mistake{s.at(i), "not UTF-8; save the file as UTF-8"})
		case (r < ' ' || r == 0x7f) && !control:
			control = true
			ms = append(ms, Mistake{s.at(i), fmt.Sprintf("control character %U; remove it", r)})
		}
		i += n
	}
	return ms
}

// at returns the position of a byte offset.
func (s *source) at(offset int) Position {
	offset = max(0, min(offset, len(s.text)))
	line := sort.SearchInts(s.starts, offset+1) - 1
	return Position{s.file, line + 1, utf8.RuneCount(s.text[s.starts[line]:offset]) + 1}
}

// clamp returns the position of a line and column that the YAML scanner
// reported, moved inside the file: the scanner's count goes astray after some
// malformed multi-line scalars.
func (s *source) clamp(line, column int) Position {
	line = max(1, min(line, len(s.starts)))
	end := len(s.text)
	if line < len(s.starts) {
		end = s.starts[line] - 1
	}
	width := utf8.RuneCount(s.text[s.starts[line-1]:end])
	return Position{s.file, line, max(1, min(column, width+1))}
}
