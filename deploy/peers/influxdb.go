package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

// The administrator that StartInfluxDB creates when Auth is asked for.
const (
	InfluxUser     = "admin"
	InfluxPassword = "admin"
)

// InfluxDBOptions says what database to start.
type InfluxDBOptions struct {
	// Binary is the server; empty takes bin/influxd of this module.
	Binary string
	// Dir takes the configuration and all data. It must exist.
	Dir string
	// Addr is the host:port to listen on; empty picks a free loopback port.
	Addr string
	// Auth asks for credentials on every request; the user admin with the password admin may do everything.
	Auth bool
}

// influxConf lifts the two limits on distinct series, which a country's meters pass, and turns off whatever talks to
// anybody else. The RPC service (backups) takes any free port.
const influxConf = `reporting-disabled = true
bind-address = "127.0.0.1:0"

[meta]
dir = %q

[data]
dir = %q
wal-dir = %q
index-version = "tsi1"
max-values-per-tag = 0
max-series-per-database = 0
query-log-enabled = false

[http]
bind-address = %q
auth-enabled = %t
log-enabled = false

[monitor]
store-enabled = false

[subscriber]
enabled = false

[continuous_queries]
enabled = false
`

// StartInfluxDB runs a server and waits until it answers /ping and, with Auth, until the administrator can log in. ctx
// bounds the wait only; without a deadline it is 60 s.
func StartInfluxDB(ctx context.Context, o InfluxDBOptions) (*Process, error) {
	if o.Dir == "" {
		return nil, errors.New("start influxd: no directory given")
	}
	if o.Binary == "" {
		var err error
		if o.Binary, err = built("influxd"); err != nil {
			return nil, err
		}
	}
	return startOn(ctx, o.Addr, func(ctx context.Context, addr string) (*Process, error) {
		conf, err := writeInfluxConf(o, addr)
		if err != nil {
			return nil, fmt.Errorf("configure influxd: %w", err)
		}
		return start(ctx, spec{
			name:   "influxd",
			binary: o.Binary,
			addr:   addr,
			args:   []string{"-config", conf},
			upLine: "Listening on HTTP",
			probe:  func(ctx context.Context) error { return influxUp(ctx, addr, o.Auth) },
		})
	})
}

func writeInfluxConf(o InfluxDBOptions, addr string) (string, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf(influxConf,
		filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"), addr, o.Auth)
	path := filepath.Join(dir, "influxd.toml")
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// influxUp asks for /ping and makes sure of the administrator: a first start creates them, a restart finds them.
func influxUp(ctx context.Context, addr string, auth bool) error {
	if err := request(ctx, http.MethodGet, "http://"+addr+"/ping", false); err != nil {
		return err
	}
	if !auth {
		return nil
	}
	if request(ctx, http.MethodPost, queryURL(addr, "SHOW DATABASES"), true) == nil {
		return nil
	}
	create := fmt.Sprintf("CREATE USER %s WITH PASSWORD '%s' WITH ALL PRIVILEGES", InfluxUser, InfluxPassword)
	return request(ctx, http.MethodPost, queryURL(addr, create), false)
}

func queryURL(addr, q string) string {
	return "http://" + addr + "/query?" + url.Values{"q": {q}}.Encode()
}
