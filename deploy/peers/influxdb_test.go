package peers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func startInflux(t *testing.T, o InfluxDBOptions) *Process {
	t.Helper()
	p, err := StartInfluxDB(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestInfluxDBKeepsWritesAcrossAKill restarts on the same directory and address.
func TestInfluxDBKeepsWritesAcrossAKill(t *testing.T) {
	t.Parallel()
	o := InfluxDBOptions{Dir: t.TempDir()}
	p := startInflux(t, o)
	o.Addr = p.Addr()
	influx(t, o, "/query", url.Values{"q": {"CREATE DATABASE city"}}, "")
	influx(t, o, "/write", url.Values{"db": {"city"}, "precision": {"ms"}}, lines(1000))
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	startInflux(t, o)
	got := influx(t, o, "/query", url.Values{"db": {"city"}, "q": {"SELECT count(v) FROM m"}}, "")
	if !strings.Contains(got, ",1000]") {
		t.Errorf("after the restart: %s, want 1000 points", got)
	}
}

// TestInfluxDBTakesManyMeters passes the server's default limit of 100,000 values of a tag.
func TestInfluxDBTakesManyMeters(t *testing.T) {
	t.Parallel()
	o := InfluxDBOptions{Dir: t.TempDir()}
	o.Addr = startInflux(t, o).Addr()
	influx(t, o, "/query", url.Values{"q": {"CREATE DATABASE city"}}, "")
	influx(t, o, "/write", url.Values{"db": {"city"}, "precision": {"ms"}}, lines(100_100))
}

func TestInfluxDBWithAuth(t *testing.T) {
	t.Parallel()
	o := InfluxDBOptions{Dir: t.TempDir(), Auth: true}
	p := startInflux(t, o)
	o.Addr = p.Addr()
	influx(t, o, "/query", url.Values{"q": {"CREATE DATABASE city"}}, "")
	if err := request(t.Context(), http.MethodPost, queryURL(o.Addr, "SHOW DATABASES"), false); err == nil ||
		!strings.Contains(err.Error(), "401") {
		t.Errorf("without credentials: %v, want 401", err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	startInflux(t, o) // the administrator is there already
	if got := influx(t, o, "/query", url.Values{"q": {"SHOW DATABASES"}}, ""); !strings.Contains(got, "city") {
		t.Errorf("after the restart: %s, want the database city", got)
	}
}

func TestInfluxDBStatesItsVersion(t *testing.T) {
	t.Parallel()
	p := startInflux(t, InfluxDBOptions{Dir: t.TempDir()})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Addr()+"/ping", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("X-Influxdb-Version"); got != "1.8.3" {
		t.Errorf("version %q, want 1.8.3", got)
	}
}

func TestPromtoolReportsFindings(t *testing.T) {
	t.Parallel()
	const good = "# HELP imdad_x_total Things.\n# TYPE imdad_x_total counter\nimdad_x_total 1\n"
	if out, err := Promtool(t.Context(), strings.NewReader(good), "check", "metrics"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	bad := strings.ReplaceAll(good, "_total", "_hours")
	if out, err := Promtool(t.Context(), strings.NewReader(bad), "check", "metrics"); err == nil {
		t.Errorf("a counter without _total passed: %s", out)
	}
}

// lines returns n points of n meters.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "m,meter=m%d v=1 1763895600000\n", i)
	}
	return b.String()
}

// influx posts to the server, as the administrator where there is one, and returns its answer; anything but a 2xx fails
// the test.
func influx(t *testing.T, o InfluxDBOptions, path string, params url.Values, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost,
		"http://"+o.Addr+path+"?"+params.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	if o.Auth {
		req.SetBasicAuth(InfluxUser, InfluxPassword)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatalf("%s %v: %s: %s (%v)", path, params, resp.Status, answer, err)
	}
	return string(answer)
}
