package peers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// stopTimeout bounds how long Stop waits before it kills. InfluxDB flushes and closes its shards within it.
	stopTimeout = 30 * time.Second
	// readyTimeout bounds a start whose context has no deadline; a killed InfluxDB first replays its log.
	readyTimeout = 60 * time.Second
	// readyPoll is how often a starting server is asked whether it is up.
	readyPoll = 10 * time.Millisecond
)

// errAddrInUse means that the server found its port taken.
var errAddrInUse = errors.New("address already in use")

// Process is a running child. Its methods may be called from any goroutine.
type Process struct {
	name   string
	addr   string
	cmd    *exec.Cmd
	log    *tail
	stop   syscall.Signal
	asked  atomic.Bool // whether Stop or Kill wanted the end
	exited chan struct{}
}

// spec says how to run a server and how to tell that it is up.
type spec struct {
	name   string
	binary string
	addr   string
	args   []string
	// upLine is what the server prints once it listens. Without it a stranger who took the port first would pass for
	// the child.
	upLine string
	// probe makes a real request.
	probe func(ctx context.Context) error
	// env is added to this process's environment.
	env []string
	// stop is the signal that the server ends on in good order; 0: SIGTERM.
	stop syscall.Signal
}

// start runs the server and waits until it answers. ctx bounds the wait only, not the life of the process.
func start(ctx context.Context, s spec) (*Process, error) {
	p := &Process{name: s.name, addr: s.addr, log: &tail{}, stop: cmp.Or(s.stop, syscall.SIGTERM), exited: make(chan struct{})}
	p.cmd = exec.Command(s.binary, s.args...)
	p.cmd.Env = append(os.Environ(), s.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = sysProcAttr()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended stands in ProcessState
		close(p.exited)
	}()
	if err := p.waitReady(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s at %s: %w", s.name, s.addr, err), p.Kill())
	}
	return p, nil
}

// waitReady polls until the server is up, has ended, or ctx is done.
func (p *Process) waitReady(ctx context.Context, s spec) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	var last error
	for {
		if strings.Contains(p.Log(), s.upLine) {
			if last = s.probe(ctx); last == nil {
				return nil
			}
		}
		select {
		case <-p.exited:
			if strings.Contains(strings.ToLower(p.Log()), errAddrInUse.Error()) {
				return errAddrInUse
			}
			return fmt.Errorf("it ended at once (%v); it said:\n%s", p.cmd.ProcessState, p.Log())
		case <-ctx.Done():
			return fmt.Errorf("not up in time: %w; it said:\n%s", errors.Join(ctx.Err(), last), p.Log())
		case <-poll.C:
		}
	}
}

// Addr returns the host:port that the server listens on.
func (p *Process) Addr() string { return p.addr }

// Exited is closed once the process has ended, for whatever reason.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Log returns the end of what the process printed, at most 64 KiB.
func (p *Process) Log() string { return p.log.String() }

// Stop ends the process with SIGTERM (or what the server heeds instead) and waits for it. If it does not go within 30 s it is killed, which is an error, as
// is an exit status other than 0 and an end that nobody asked for. Further calls return nil.
func (p *Process) Stop() error {
	if p.asked.Swap(true) {
		<-p.exited
		return nil
	}
	select {
	case <-p.exited:
		return fmt.Errorf("%s had ended by itself (%v); it said:\n%s", p.name, p.cmd.ProcessState, p.Log())
	default:
	}
	// A paused process takes the first signal only when it goes on.
	if err := errors.Join(p.signal(p.stop), p.Resume()); err != nil {
		return err
	}
	select {
	case <-p.exited:
		if !p.cmd.ProcessState.Success() {
			return fmt.Errorf("stop %s: %v; it said:\n%s", p.name, p.cmd.ProcessState, p.Log())
		}
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s did not stop within %v", p.name, stopTimeout), p.Kill())
	}
}

// Kill ends the process with SIGKILL and waits for it. It is harmless when the process has ended.
func (p *Process) Kill() error {
	p.asked.Store(true)
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// Pause freezes the process (SIGSTOP): it keeps its connections and, a moment later, answers nothing until Resume.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

// signal does nothing when the process has ended.
func (p *Process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s: %w", sig, p.name, err)
	}
	return nil
}
