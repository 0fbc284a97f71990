package influx

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// These tests run against a real InfluxDB 1.8.3 with authentication.

const adminToken = peers.InfluxUser + ":" + peers.InfluxPassword

type realDB struct {
	t       *testing.T
	options peers.InfluxDBOptions
	process *peers.Process
}

func startInflux(t *testing.T) *realDB {
	t.Helper()
	db := &realDB{t: t, options: peers.InfluxDBOptions{Dir: t.TempDir(), Auth: true}}
	db.start()
	db.options.Addr = db.process.Addr()
	t.Cleanup(func() {
		if err := db.process.Stop(); err != nil {
			t.Errorf("stop influxd: %v", err)
		}
	})
	return db
}

func (db *realDB) start() {
	db.t.Helper()
	var err error
	if db.process, err = peers.StartInfluxDB(context.Background(), db.options); err != nil {
		db.t.Fatal(err)
	}
}

func (db *realDB) config() Config {
	c := testConfig("http://" + db.process.Addr())
	c.Token = adminToken
	return c
}

type table struct {
	Name    string
	Tags    map[string]string
	Columns []string
	Values  [][]any
}

// query runs InfluxQL; times are milliseconds, numbers json.Number.
func (db *realDB) query(statement string) []table {
	db.t.Helper()
	values := url.Values{"q": {statement}, "db": {"utility"}, "epoch": {"ms"}}
	r, err := http.NewRequestWithContext(db.t.Context(), http.MethodPost, "http://"+db.process.Addr()+"/query?"+values.Encode(), nil)
	if err != nil {
		db.t.Fatal(err)
	}
	r.SetBasicAuth(peers.InfluxUser, peers.InfluxPassword)
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		db.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		db.t.Fatal(err)
	}
	var said struct {
		Error   string
		Results []struct {
			Series []table
			Error  string
		}
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&said); err != nil {
		db.t.Fatalf("%s: %v: %s", statement, err, body)
	}
	if said.Error != "" || len(said.Results) == 0 || said.Results[0].Error != "" {
		db.t.Fatalf("%s: %s", statement, body)
	}
	return said.Results[0].Series
}

// count returns the number of points of a measurement.
func (db *realDB) count(measurement, field string) string {
	db.t.Helper()
	tables := db.query(fmt.Sprintf("SELECT count(%q) FROM %q", field, measurement))
	if len(tables) == 0 {
		return "0"
	}
	return string(tables[0].Values[0][1].(json.Number))
}

func settled(w running, want int) func() bool {
	return func() bool {
		n, refused := w.log.lines()
		return n+len(refused) == want
	}
}

func TestInfluxDBReadsBackWhatWasWritten(t *testing.T) {
	t.Parallel()
	db := startInflux(t)
	c := db.config()
	c.Create = true
	w := start(t, c, nil)

	const begin = 1763895600123
	names := []string{
		"M-1", "a,b", "c d", "e=f", `back\slash`, `ends\`, `"quoted"`, "line\nbreak", "tab\t", "#hash", "حلب", "not\xffUTF-8",
		"m v=1 1\nelectricity,city=x v=2 2", `'`, "%41", `\,`, `\ `,
	}
	for i, name := range names {
		r := meter.Reading{
			Time: begin + int64(i), Seq: int64(i), HasSeq: true, Quality: meter.ClockInvalid, Stamped: true, DeviceTime: int64(-i),
			Values: []meter.Value{{Register: "power_kw", Value: 431.2 + float64(i)}, {Register: `odd "=, ` + `\`, Value: 1e-7}, {Register: "whole", Value: 230}},
		}
		line := AppendReading(nil, AppendSeries(nil, "electricity", name, "z-"+name, name), &r)
		w.log.append(strings.TrimSuffix(string(line), "\n"))
	}
	eventually(t, "all lines are settled", settled(w, len(names)))
	if _, refused := w.log.lines(); len(refused) > 0 {
		t.Fatalf("refused %q", refused)
	}

	tables := db.query("SELECT * FROM electricity GROUP BY city, zone, meter")
	if len(tables) != len(names) {
		t.Fatalf("%d series, want %d", len(tables), len(names))
	}
	for i, name := range names {
		stored := percented(name)
		at := slices.IndexFunc(tables, func(s table) bool { return s.Tags["meter"] == stored })
		if at < 0 {
			t.Errorf("no meter %q", stored)
			continue
		}
		s := tables[at]
		if s.Tags["city"] != stored || s.Tags["zone"] != "z-"+stored {
			t.Errorf("%q: tags %q", name, s.Tags)
		}
		got := map[string]string{}
		for column, key := range s.Columns {
			got[key] = string(s.Values[0][column].(json.Number))
		}
		want := map[string]string{
			"time": fmt.Sprint(begin + i), "power_kw": fmt.Sprint(431.2 + float64(i)), percented(`odd "=, \`): "1e-7", "whole": "230",
			"quality": "4", "seq": fmt.Sprint(i), "device_time_ms": fmt.Sprint(-i),
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%q: %s is %s, want %s", name, key, got[key], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%q: %v", name, got)
		}
	}
	types := map[string]string{}
	for _, row := range db.query("SHOW FIELD KEYS FROM electricity")[0].Values {
		types[row[0].(string)] = row[1].(string)
	}
	for field, want := range map[string]string{"whole": "float", "power_kw": "float", "quality": "integer", "seq": "integer", "device_time_ms": "integer"} {
		if types[field] != want {
			t.Errorf("field %s is %q, want %s", field, types[field], want)
		}
	}
}

func TestInfluxDBMissingDatabase(t *testing.T) {
	t.Parallel()
	db := startInflux(t)
	w := start(t, db.config(), nil)
	w.log.append(readings(0, 10)...)
	eventually(t, "the missing database shows", func() bool { return strings.Contains(w.Status().Cause, `database not found: "utility"`) })
	db.query("CREATE DATABASE utility")
	eventually(t, "all lines are settled", settled(w, 10))

	db.query("DROP DATABASE utility") // what was settled is gone; what comes must wait
	w.log.append(readings(10, 20)...)
	eventually(t, "the missing database shows", func() bool { return strings.Contains(w.Status().Cause, "database not found") })
	db.query("CREATE DATABASE utility")
	eventually(t, "all lines are settled", settled(w, 20))
	if got := db.count("electricity", "v"); got != "10" {
		t.Errorf("%s points", got)
	}
	if _, refused := w.log.lines(); len(refused) > 0 {
		t.Errorf("refused %q", refused)
	}
}

func TestInfluxDBCreatesWhatIsMissing(t *testing.T) {
	t.Parallel()
	db := startInflux(t)
	c := db.config()
	c.Create, c.Bucket = true, "utility/two \"years\""
	w := start(t, c, nil)
	w.log.append(readings(0, 10)...)
	eventually(t, "all lines are settled", settled(w, 10))
	db.query(`DROP RETENTION POLICY "two \"years\"" ON utility`)
	w.log.append(readings(10, 20)...)
	eventually(t, "all lines are settled", settled(w, 20))
	db.query("DROP DATABASE utility")
	w.log.append(readings(20, 30)...)
	eventually(t, "all lines are settled", settled(w, 30))
	if tables := db.query(`SELECT count(v) FROM "two \"years\"".electricity`); len(tables) != 1 || tables[0].Values[0][1] != json.Number("10") {
		t.Errorf("got %v", tables)
	}
}

func TestInfluxDBMissingPolicy(t *testing.T) {
	t.Parallel()
	db := startInflux(t)
	db.query("CREATE DATABASE utility")
	c := db.config()
	c.Bucket = "utility/year"
	w := start(t, c, nil)
	w.log.append(readings(0, 10)...)
	eventually(t, "the missing policy shows", func() bool { return strings.Contains(w.Status().Cause, "retention policy not found: year") })
	db.query("CREATE RETENTION POLICY year ON utility DURATION INF REPLICATION 1")
	eventually(t, "all lines are settled", settled(w, 10))
	if _, refused := w.log.lines(); len(refused) > 0 {
		t.Errorf("refused %q", refused)
	}
}

func TestInfluxDBWrongPassword(t *testing.T) {
	t.Parallel()
	db := startInflux(t)
	db.query("CREATE DATABASE utility")
	var token atomic.Value
	token.Store("admin:wrong")
	w := start(t, db.config(), func() (string, error) { return token.Load().(string), nil })
	w.log.append(readings(0, 10)...)
	eventually(t, "the refusal shows", func() bool { return strings.Contains(w.Status().Cause, "401") })
	db.query("CREATE USER reader WITH PASSWORD 'r'") // may not write
	token.Store("reader:r")
	eventually(t, "the missing right shows", func() bool { return strings.Contains(w.Status().Cause, "not authorized to write") })
	token.Store(adminToken)
	eventually(t, "all lines are settled", settled(w, 10))
	if got := db.count("electricity", "v"); got != "10" {
		t.Errorf("%s points", got)
	}
}

// A type conflict that was made beforehand and a line that cannot be parsed,
// each alone and both together among 5,000 good lines, cost just themselves.
func TestInfluxDBRefusesBadLines(t *testing.T) {
	t.Parallel()
	db := startInflux(t)
	c := db.config()
	c.Create = true
	w := start(t, c, nil)
	w.log.append(`conflict v="text" 1`)
	eventually(t, "the first type is set", settled(w, 1))

	conflict, garbage, open := "conflict v=1 2", "no line at all, limit exceeded: not found", `electricity v="open 77`
	tests := []struct {
		name string
		bad  map[int]string // by position
	}{
		{"type conflict", map[int]string{2718: conflict}},
		{"garbage", map[int]string{0: garbage}},
		{"an open quote swallows the lines behind it", map[int]string{4000: open}},
		{"several", map[int]string{17: conflict, 1000: garbage, 1001: open, 4999: "conflict v=2 3"}},
	}
	total := 1
	for i, tt := range tests {
		lines := readings(i*5000, (i+1)*5000)
		var bad []string
		for at, line := range tt.bad {
			lines[at] = line
			bad = append(bad, line)
		}
		w.log.mu.Lock()
		w.log.refused = nil
		w.log.settled = nil
		w.log.mu.Unlock()
		w.log.append(lines...)
		eventually(t, tt.name+": all lines are settled", settled(w, 5000))
		_, refused := w.log.lines()
		slices.Sort(refused)
		slices.Sort(bad)
		if !slices.Equal(refused, bad) {
			t.Errorf("%s: refused %q, want %q", tt.name, refused, bad)
		}
		for _, r := range w.log.refused {
			if strings.HasPrefix(string(r.Line), "conflict") && !strings.Contains(r.Detail, "field type conflict") {
				t.Errorf("%s: %s", tt.name, r.Detail)
			}
		}
		total += 5000 - len(bad)
	}
	if got, want := db.count("electricity", "v"), fmt.Sprint(total-1); got != want {
		t.Errorf("%s points, want %s", got, want)
	}
	if got := db.count("conflict", "v"); got != "1" {
		t.Errorf("%s conflicting points", got)
	}
}

func TestInfluxDBLinesBeyondThePolicyAreRefused(t *testing.T) {
	t.Parallel()
	db := startInflux(t)
	db.query("CREATE DATABASE utility WITH DURATION 1d")
	w := start(t, db.config(), nil)
	fresh := fmt.Sprintf("electricity,meter=M1 v=1 %d", time.Now().UnixMilli())
	w.log.append(fresh, "electricity,meter=M1 v=2 1000")
	eventually(t, "all lines are settled", settled(w, 2))
	if _, refused := w.log.lines(); !slices.Equal(refused, []string{"electricity,meter=M1 v=2 1000"}) {
		t.Errorf("refused %q", refused)
	}
}

// A limit on distinct meters refuses each line of a new one; that is the
// database's condition, and the lines wait until it is raised.
func TestInfluxDBLimitOnMeters(t *testing.T) { // not parallel: it sets the environment
	t.Setenv("INFLUXDB_DATA_INDEX_VERSION", "inmem") // the other index knows no limit
	t.Setenv("INFLUXDB_DATA_MAX_VALUES_PER_TAG", "10")
	db := startInflux(t)
	c := db.config()
	c.Create = true
	w := start(t, c, nil)
	w.log.append(readings(0, 10)...)
	eventually(t, "the first meters are settled", settled(w, 10))
	w.log.append(readings(5, 15)...)
	eventually(t, "the limit shows", func() bool { return strings.Contains(w.Status().Cause, "max-values-per-tag limit exceeded") })
	if err := db.process.Stop(); err != nil {
		t.Fatal(err)
	}
	if n, refused := w.log.lines(); n != 10 || len(refused) > 0 {
		t.Errorf("%d lines settled, refused %q", n, refused)
	}
	t.Setenv("INFLUXDB_DATA_MAX_VALUES_PER_TAG", "0")
	db.start()
	eventually(t, "all lines are settled", settled(w, 20))
	if got := db.count("electricity", "v"); got != "15" {
		t.Errorf("%s points", got)
	}
}

// The server is killed while lines are on their way, and started again. It is
// killed once: InfluxDB 1.8.3 goes on behind the torn end of its log, and at the
// next start throws away all that it took after the tear.
func TestInfluxDBKilled(t *testing.T) {
	t.Parallel()
	const total = 40_000
	for _, after := range []int{1, 10_000, 30_000} {
		t.Run(fmt.Sprintf("after %d lines", after), func(t *testing.T) {
			t.Parallel()
			db := startInflux(t)
			c := db.config()
			c.Create, c.Batch, c.Requests = true, 500, 3
			w := start(t, c, nil)
			w.log.append(readings(0, total)...)
			eventually(t, "some lines are settled", func() bool { n, _ := w.log.lines(); return n >= after })
			if err := db.process.Kill(); err != nil {
				t.Fatal(err)
			}
			w.log.append(readings(total, 2*total)...)
			eventually(t, "the loss shows", func() bool { return w.Status().Degraded })
			db.start()
			eventually(t, "all lines are settled", settled(w, 2*total))
			if _, refused := w.log.lines(); len(refused) > 0 {
				t.Errorf("refused %q", refused)
			}
			if got := db.count("electricity", "v"); got != fmt.Sprint(2*total) {
				t.Errorf("%s points, want %d", got, 2*total)
			}
			sum := db.query("SELECT sum(v) FROM electricity")[0].Values[0][1].(json.Number)
			if got, err := sum.Float64(); err != nil || got != total*(2*total-1) {
				t.Errorf("sum %s, %v", sum, err)
			}
		})
	}
}
