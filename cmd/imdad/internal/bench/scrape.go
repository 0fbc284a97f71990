package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"
)

// scrapes is how often each page is fetched.
const scrapes = 11

// perMeter is how many registers a meter of the simulated city has, at least, on average.
const perMeter = 4

// scrape times the pages of metrics, over HTTP, when the service knows so many registers.
func (b *bench) scrape(ctx context.Context) error {
	meters := b.many / perMeter
	f, err := b.fleet(meters)
	if err != nil {
		return err
	}
	s, err := b.prefill(ctx, f, int64(2*meters), 1000)
	if err != nil {
		return err
	}
	b.title("Scrapes: %d registers", b.many)
	_, err = b.drainService(ctx, s, b.many, func(ctx context.Context, service *child) error {
		t := b.table("page           ", "encoding", "median ms", "slowest ms", " MB", "series")
		for _, path := range []string{"/metrics", "/metrics/meters"} {
			for _, encoding := range []string{"identity", "gzip"} { // Prometheus asks for the latter
				if err := timePage(ctx, t, service, path, encoding); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return errors.Join(err, s.remove())
}

func timePage(ctx context.Context, t columns, service *child, path, encoding string) error {
	var times []float64 // milliseconds
	var page []byte
	for range scrapes {
		begun := time.Now()
		err := get(ctx, service.url(path), encoding, func(body io.Reader) (err error) {
			page, err = io.ReadAll(body)
			times = append(times, float64(time.Since(begun).Microseconds())/1e3)
			return err
		})
		if err != nil {
			return err
		}
	}
	series := "-"
	if encoding == "identity" {
		series = strconv.Itoa(countSeries(page))
	}
	slices.Sort(times)
	t.row(path, encoding, times[scrapes/2], times[scrapes-1], float64(len(page))/1e6, series)
	return nil
}

func countSeries(page []byte) (n int) {
	for line := range bytes.Lines(page) {
		if line[0] != '#' {
			n++
		}
	}
	return n
}
