package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// AlertmanagerOptions says what Alertmanager to start.
type AlertmanagerOptions struct {
	// Dir takes the configuration and the data. It must exist.
	Dir string
	// Addr is the host:port to listen on; empty picks a free loopback port.
	Addr string
	// Config is the text of alertmanager.yml.
	Config string
}

// StartAlertmanager runs one that knows of no other, and waits until it answers that it is ready. ctx bounds the wait
// only; without a deadline it is 60 s.
func StartAlertmanager(ctx context.Context, o AlertmanagerOptions) (*Process, error) {
	if o.Dir == "" {
		return nil, errors.New("start alertmanager: no directory given")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	binary, err := installed("prometheus-alertmanager")
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(conf, []byte(o.Config), 0o600); err != nil {
		return nil, fmt.Errorf("configure alertmanager: %w", err)
	}
	return startOn(ctx, o.Addr, func(ctx context.Context, addr string) (*Process, error) {
		return start(ctx, spec{
			name:   "alertmanager",
			binary: binary,
			addr:   addr,
			args: []string{"--config.file=" + conf, "--storage.path=" + filepath.Join(dir, "data"),
				"--web.listen-address=" + addr, "--cluster.listen-address="},
			upLine: `msg="Listening on"`,
			probe: func(ctx context.Context) error {
				return request(ctx, http.MethodGet, "http://"+addr+"/-/ready", false)
			},
		})
	})
}

// Amtool runs Alertmanager's own client against the one at addr, for example Amtool(ctx, addr, "alert", "query"), and
// returns all that it printed.
func Amtool(ctx context.Context, addr string, args ...string) (string, error) {
	return runTool(ctx, nil, "amtool", append([]string{"--alertmanager.url=http://" + addr}, args...)...)
}
