package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
)

// databaseName is the demo's InfluxDB database.
const databaseName = "utility"

// leastRate is how many readings the demo must have written for each second of
// the simulated clock: the fleet makes some 6.9.
const leastRate = 4

// judge waits until everything is delivered and compares the three books: the
// ledger, the database's own counts and the simulator's truth.
func (p *play) judge(ctx context.Context, truth metersim.Summary) error {
	var l ledger
	settled := eventually(ctx, settleTimeout, "the last readings", func() (done bool, err error) {
		l, err = gatherLedger(p.service.metrics)
		return l["lines_pending"] == 0 && l["messages_in_flight"] == 0, err
	})
	stored, err := p.database.counts(ctx)
	if err := errors.Join(settled, err); err != nil {
		return err
	}
	problems := l.problems()
	for _, u := range meter.Utilities {
		if got, want := stored[u]-p.before[u], truth.Readings[u]; got != want {
			problems = append(problems, fmt.Sprintf("InfluxDB holds %d %s readings, the meters had %d acknowledged", got, u, want))
		}
	}
	least := int64(leastRate * p.played().Seconds())
	if total := stored.total() - p.before.total(); total < least {
		problems = append(problems, fmt.Sprintf("%d readings were written; %v should give at least %d", total, p.played(), least))
	}
	fmt.Fprintf(p.screen, "meters    %s\nInfluxDB  %s\n", truth, stored)
	for _, problem := range problems {
		fmt.Fprintln(p.screen, "WRONG     "+problem)
	}
	fmt.Fprintln(p.screen, l)
	if len(problems) > 0 {
		return errors.New("the demo's books do not balance; see above")
	}
	return nil
}

// played is the simulated time that was asked for.
func (p *play) played() time.Duration {
	return min(time.Duration(float64(p.For)*p.Speed), p.plan.End.Sub(p.plan.Start))
}

// counts is the number of readings by measurement.
type counts map[meter.Utility]int64

func (c counts) total() (n int64) {
	for _, v := range c {
		n += v
	}
	return n
}

// String lists the counts for people.
func (c counts) String() string {
	parts := make([]string, len(meter.Utilities))
	for i, u := range meter.Utilities {
		parts[i] = fmt.Sprintf("%s %d", u, c[u])
	}
	return "holds " + strings.Join(parts, ", ")
}

// database asks the demo's InfluxDB, in InfluxQL.
type database struct{ url string }

// counts returns the number of points of each utility; of none where the
// database does not exist yet.
func (d database) counts(ctx context.Context) (counts, error) {
	c := make(counts)
	for _, u := range meter.Utilities {
		n, err := d.count(ctx, string(u))
		if err != nil {
			return nil, err
		}
		c[u] = n
	}
	return c, nil
}

func (d database) count(ctx context.Context, measurement string) (int64, error) {
	query := url.Values{"db": {databaseName}, "q": {fmt.Sprintf("SELECT count(quality) FROM %q", measurement)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/query?"+query.Encode(), nil)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", measurement, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", measurement, err)
	}
	defer func() { _ = res.Body.Close() }() // it has been read
	var answer struct {
		Error   string
		Results []struct {
			Error  string
			Series []struct{ Values [][]any }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("count %s: %w", measurement, err)
	}
	if answer.Error != "" || len(answer.Results) != 1 {
		return 0, fmt.Errorf("count %s: HTTP %d %s", measurement, res.StatusCode, answer.Error)
	}
	result := answer.Results[0]
	switch {
	case strings.HasPrefix(result.Error, "database not found"):
		return 0, nil
	case result.Error != "":
		return 0, fmt.Errorf("count %s: %s", measurement, result.Error)
	case len(result.Series) == 0:
		return 0, nil
	}
	n, ok := result.Series[0].Values[0][1].(float64)
	if !ok {
		return 0, fmt.Errorf("count %s: unexpected answer %v", measurement, result.Series[0].Values)
	}
	return int64(n), nil
}
