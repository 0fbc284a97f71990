package influx

import (
	"bytes"
	"context"
	"errors"
	"time"
	"unsafe"
)

// maxSuspects is how many lines may be refused in words that are not known to
// be about lines, with no line stored beside them, before it is the request or
// the database that is suspected.
const maxSuspects = 16

// search finds the refused lines of a chunk by sending ever smaller parts. It
// settles lines from front to back, so after an interruption it goes on where
// it was.
type search struct {
	send    func(lines []byte) verdict
	rest    []byte // lines that are not settled yet
	refused []Refused
	// proven is set once the database took a line, or refused one in words
	// that are known to be about lines. Refusals count only then.
	proven bool
}

// deliver has every line of the chunk stored or refused. Its error means that
// ctx has ended.
func (w *Writer) deliver(ctx, late context.Context, c Chunk) ([]Refused, error) {
	send := func(lines []byte) verdict {
		if ctx.Err() != nil {
			return verdict{class: busy, words: "stopping"}
		}
		return w.send(late, lines)
	}
	s := search{send: send, rest: c.Lines}
	err := w.insist(ctx, func() verdict {
		v := s.run()
		if v.class == doubtful {
			s = search{send: send, rest: c.Lines}
			v.class = condition
		}
		return v
	})
	return s.refused, err
}

// run settles what is left. Its verdict is stored when all is settled, the one
// that calls for waiting, or doubtful when the refusals cannot be believed.
func (s *search) run() verdict {
	if len(s.rest) == 0 {
		return verdict{class: stored}
	}
	v := s.settle(s.rest, false)
	if v.class == stored && !s.proven {
		return s.doubt()
	}
	return v
}

// settle settles lines, the front of rest. known says that some line of them
// must be bad, so that sending them whole can be spared: a single line is
// always sent, and nothing else is ever refused. The verdict is stored when
// all are settled.
func (s *search) settle(lines []byte, known bool) verdict {
	left, right := halve(lines)
	if !known || right == nil {
		v := s.send(lines)
		switch {
		case v.waits():
			return v
		case v.class == stored:
			s.rest, s.proven = s.rest[len(lines):], true
			return v
		case right == nil:
			return s.refuse(lines, v)
		}
		known = v.class != tooLarge
	}
	before := len(s.refused)
	if v := s.settle(left, false); v.class != stored {
		return v
	}
	return s.settle(right, known && len(s.refused) == before)
}

func (s *search) refuse(line []byte, v verdict) verdict {
	s.rest = s.rest[len(line):]
	s.proven = s.proven || v.class != doubtful
	s.refused = append(s.refused, Refused{Line: bytes.TrimSuffix(line, []byte{'\n'}), Reason: ReasonRefused, Detail: v.words})
	if !s.proven && len(s.refused) >= maxSuspects {
		return s.doubt()
	}
	return verdict{class: stored}
}

func (s *search) doubt() verdict {
	return verdict{class: doubtful, words: s.refused[0].Detail}
}

// halve splits lines after the newline that is nearest to their middle. A
// single line has no right half.
func halve(lines []byte) (left, right []byte) {
	middle := len(lines) / 2
	cut := bytes.LastIndexByte(lines[:middle], '\n') + 1
	if cut == 0 {
		cut = middle + bytes.IndexByte(lines[middle:], '\n') + 1
		if cut == middle || cut == len(lines) {
			return lines, nil
		}
	}
	return lines[:cut], lines[cut:]
}

// send makes one request. The lines are handed to the client as a string over
// the same memory: nobody writes to a chunk's lines (see Chunk).
func (w *Writer) send(ctx context.Context, lines []byte) verdict {
	timed, cancel := context.WithTimeout(ctx, w.config.Timeout)
	defer cancel()
	begun := time.Now()
	err := w.api.WriteRecord(timed, unsafe.String(unsafe.SliceData(lines), len(lines)))
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		err = errors.Join(context.DeadlineExceeded, err)
	}
	v := w.judge(err)
	w.metrics.observe(v.class, time.Since(begun))
	return v
}
