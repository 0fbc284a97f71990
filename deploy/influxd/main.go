// Command influxd is the real InfluxDB 1.8.3 server, built with the Go toolchain alone: no download, no cgo.
//
// It exists for development and tests only; production runs InfluxDB 2.x. It lives in a module of its own so that the
// server's old dependencies never meet the service's. It does what `influxd run` does and nothing else:
//
//	influxd -config influxdb.toml
//
// SIGTERM or an interrupt closes the store and ends the process with status 0.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/influxdata/influxdb/cmd/influxd/run"
)

// version is what the server states in X-Influxdb-Version; go.mod pins the same.
const version = "1.8.3"

// closeTimeout bounds a clean shutdown, as the original does.
const closeTimeout = 30 * time.Second

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "influxd:", err)
		os.Exit(1)
	}
}

// serve runs the server until a signal comes, then closes it.
func serve(args []string) error {
	// Signals are caught before the server opens: one that comes while the store loads must not kill it half-open.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)

	server := run.NewCommand()
	server.Version = version
	if err := server.Run(args...); err != nil {
		return err
	}
	<-signals

	closed := make(chan error, 1)
	go func() { closed <- server.Close() }()
	select {
	case err := <-closed:
		return err
	case <-signals:
		return errors.New("second signal: store not closed cleanly")
	case <-time.After(closeTimeout):
		return fmt.Errorf("store did not close within %v", closeTimeout)
	}
}
