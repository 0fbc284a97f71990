package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metrics that are read here. The bench's own children show theirs under the same names.
const (
	metricReceived = "imdad_messages_received_total"
	metricInFlight = "imdad_messages_in_flight"
	metricBatches  = "imdad_ingest_batch_messages"
	metricWritten  = "imdad_influx_written_lines_total"
	metricLines    = "imdad_spool_lines_total"
	metricPending  = "imdad_spool_pending_lines"
	metricReadings = "imdad_readings_total"
	metricTaken    = "bench_lines_taken_total"
)

// page is a page of metrics.
type page map[string]*dto.MetricFamily

func (c *child) metrics(ctx context.Context) (page, error) {
	var families page
	err := get(ctx, c.url("/metrics"), "identity", func(body io.Reader) (err error) {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err = parser.TextToMetricFamilies(body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the metrics of %s: %w; it said:\n%s", c.name, err, c.tail())
	}
	return families, nil
}

// get lets read have the answer as it comes, in the given encoding: compressing costs the server more than the page.
func get(ctx context.Context, url, encoding string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", encoding)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("GET %s: %s", url, res.Status), res.Body.Close())
	}
	return errors.Join(read(res.Body), res.Body.Close())
}

// sum adds up the series of a metric that have the label value, or all where it is empty.
func (p page) sum(name, label string) (total int64) {
	for _, m := range p[name].GetMetric() {
		if label == "" || len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label {
			total += int64(m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue())
		}
	}
	return total
}

// done counts the messages that are finished with: for the service, stored and acknowledged.
func (p page) done() int64 { return p.sum(metricReceived, "") - p.sum(metricInFlight, "") }

const stalled = time.Minute

// follow asks count until it has reached all, seldom at first and every 5 ms at the end, so that asking costs little
// and says exactly when. It returns the last answer. It fails when a minute brings nothing.
func follow(ctx context.Context, all int64, count func(context.Context) (int64, error)) (n int64, err error) {
	begun := time.Now()
	var last int64
	moved := begun
	for {
		n, err = count(ctx)
		switch {
		case err != nil || n >= all:
			return n, err
		case n > last:
			last, moved = n, time.Now()
		case time.Since(moved) > stalled:
			return n, fmt.Errorf("%d of %d, and no more for %v", n, all, stalled)
		}
		wait := pollEvery
		if n > 0 {
			left := time.Duration(float64(time.Since(begun)) * float64(all-n) / float64(n))
			wait = min(max(left/4, pollEvery), 250*time.Millisecond)
		}
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// batches tells what the histogram of batch sizes holds: the mean, and between which sizes half of the batches and the
// largest lie.
func (p page) batches() string {
	metrics := p[metricBatches].GetMetric()
	if len(metrics) == 0 || metrics[0].GetHistogram().GetSampleCount() == 0 {
		return "no batches"
	}
	h := metrics[0].GetHistogram()
	return fmt.Sprintf("%d batches: mean %.0f, median %s, largest %s messages", h.GetSampleCount(),
		h.GetSampleSum()/float64(h.GetSampleCount()), reach(h, (h.GetSampleCount()+1)/2), reach(h, h.GetSampleCount()))
}

// reach says in which bucket the n-th smallest value lies.
func reach(h *dto.Histogram, n uint64) string {
	low := 0.0
	for _, b := range h.GetBucket() {
		if b.GetCumulativeCount() >= n {
			return fmt.Sprintf("%.0f–%.0f", low+1, b.GetUpperBound())
		}
		low = b.GetUpperBound()
	}
	return fmt.Sprintf("above %.0f", low)
}
