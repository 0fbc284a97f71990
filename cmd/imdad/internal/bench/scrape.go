package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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
		for _, path := range []string{"/metrics", "/metrics/meters"} {
			if err := b.timePage(ctx, service.url(path)); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, s.remove())
}

func (b *bench) timePage(ctx context.Context, url string) error {
	var times []time.Duration
	var size, series int
	for range scrapes {
		begun := time.Now()
		err := get(ctx, url, func(body io.Reader) error {
			page, err := io.ReadAll(body)
			times = append(times, time.Since(begun))
			size, series = len(page), 0
			for line := range bytes.Lines(page) {
				if line[0] != '#' {
					series++
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(times)
	fmt.Fprintf(b.out, "  %s: median %v, slowest %v; %d series, %.1f MB\n", url[len("http://"):],
		times[scrapes/2].Round(100*time.Microsecond), times[scrapes-1].Round(100*time.Microsecond), series, float64(size)/1e6)
	return nil
}
