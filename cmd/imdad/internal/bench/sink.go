package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
)

// sink is a database that counts lines and forgets them, or records the batches.
type sink struct {
	lines   atomic.Int64
	buffers sync.Pool

	mu     sync.Mutex
	record *os.File // nil: forget
}

// runSink serves a sink. Its metric is the number of lines taken.
func runSink(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("sink", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "HOST:PORT")
	addrFile := flags.String("addr-file", "", "takes the address")
	record := flags.String("record", "", "file for the batches")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := &sink{buffers: sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}}
	if *record != "" {
		var err error
		if s.record, err = os.Create(*record); err != nil {
			return err
		}
		defer func() { _ = s.record.Close() }() // what was taken is in the file already
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/write", s.write)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s %d\n", metricTaken, s.lines.Load())
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return serve(ctx, *listen, *addrFile, mux)
}

func (s *sink) write(w http.ResponseWriter, r *http.Request) {
	count := s.count
	if s.record != nil {
		count = s.keep
	}
	n, err := count(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.lines.Add(n)
	w.WriteHeader(http.StatusNoContent)
}

func (s *sink) count(body io.Reader) (lines int64, err error) {
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	last := byte('\n')
	for {
		n, err := body.Read(*buffer)
		if n > 0 {
			lines += int64(bytes.Count((*buffer)[:n], newline))
			last = (*buffer)[n-1]
		}
		switch {
		case errors.Is(err, io.EOF) && last != '\n':
			return lines + 1, nil
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return 0, err
		}
	}
}

var newline = []byte{'\n'}

// keep writes a batch to the record: its length in 8 bytes, and itself.
func (s *sink) keep(body io.Reader) (lines int64, err error) {
	batch, err := io.ReadAll(body)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.record.Write(append(binary.BigEndian.AppendUint64(nil, uint64(len(batch))), batch...)); err != nil {
		return 0, err
	}
	return countLines(batch), nil
}

func countLines(batch []byte) int64 {
	n := int64(bytes.Count(batch, newline))
	if len(batch) > 0 && batch[len(batch)-1] != '\n' {
		n++
	}
	return n
}

// recorded reads back what keep has written.
func recorded(path string) (batches [][]byte, err error) {
	all, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for len(all) > 0 {
		n := binary.BigEndian.Uint64(all)
		batches = append(batches, all[8:8+n])
		all = all[8+n:]
	}
	return batches, nil
}
