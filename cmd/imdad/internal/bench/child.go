package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	startPatience = time.Minute
	stopPatience  = 30 * time.Second
	pollEvery     = 5 * time.Millisecond
)

// child is a process under test that answers over HTTP.
type child struct {
	name   string
	cmd    *exec.Cmd
	log    string // file with all it printed
	addr   string // of its HTTP server
	exited chan struct{}
}

// spawn runs a program with a further argument that names the file to write its address to, and waits for the address.
func spawn(ctx context.Context, name, dir, addrFlag, binary string, args ...string) (*child, error) {
	c := &child{name: name, log: filepath.Join(dir, name+".log"), exited: make(chan struct{})}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own descriptor
	file := filepath.Join(dir, name+".addr")
	c.cmd = exec.Command(binary, append(args, addrFlag, file)...)
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.SysProcAttr = log, log, sysProcAttr()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = c.cmd.Wait() // how it ended stands in ProcessState
		close(c.exited)
	}()
	if err := c.await(ctx, file); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), c.kill())
	}
	return c, nil
}

func (c *child) await(ctx context.Context, file string) error {
	return eventually(ctx, startPatience, "it has written its address", func() (bool, error) {
		select {
		case <-c.exited:
			return false, fmt.Errorf("it ended: %v; it said:\n%s", c.cmd.ProcessState, c.tail())
		default:
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		c.addr = strings.TrimSpace(strings.TrimPrefix(string(text), "http="))
		return c.addr != "", err
	})
}

func (c *child) url(path string) string { return "http://" + c.addr + path }

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop asks the process to end and wants it to end well.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", c.name, err)
	}
	select {
	case <-c.exited:
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("%s did not stop; it said:\n%s", c.name, c.tail()), c.kill())
	}
	if !c.cmd.ProcessState.Success() {
		return fmt.Errorf("%s: %v; it said:\n%s", c.name, c.cmd.ProcessState, c.tail())
	}
	return nil
}

// kill is for the way out; it is harmless when the process has ended.
func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.exited
	return nil
}

// tail is the end of what the process printed.
func (c *child) tail() string {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// serve runs a role's HTTP server until ctx ends, and writes its address to the file.
func serve(ctx context.Context, listen, addrFile string, handler http.Handler) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	tmp := addrFile + ".tmp"
	if err := os.WriteFile(tmp, []byte("http="+l.Addr().String()+"\n"), 0o644); err != nil {
		return errors.Join(err, l.Close())
	}
	if err := os.Rename(tmp, addrFile); err != nil {
		return errors.Join(err, l.Close())
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // nothing of it matters any more
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// eventually waits until the condition holds.
func eventually(ctx context.Context, patience time.Duration, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
