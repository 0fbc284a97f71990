package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// child is a program under test, running as a process of its own.
type child struct {
	cmd    *exec.Cmd
	log    string // the file that takes what it prints, after what is there
	exited chan struct{}
}

func startChild(log, name string, args ...string) (*child, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &child{cmd: exec.Command(name, args...), log: log, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = childAttr()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended stands in ProcessState
		close(p.exited)
	}()
	return p, nil
}

func (p *child) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// state tells how the process ended. It must have.
func (p *child) state() *os.ProcessState { return p.cmd.ProcessState }

// kill ends the process with SIGKILL and waits; it may have ended before.
func (p *child) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended
	<-p.exited
}

// terminate ends the process with SIGTERM. Too slow an end and any exit code
// but 0 are errors.
func (p *child) terminate(within time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("SIGTERM: %w", err)
	}
	select {
	case <-p.exited:
	case <-time.After(within):
		return errors.Join(fmt.Errorf("no end within %v of SIGTERM", within), p.cmd.Process.Signal(syscall.SIGQUIT))
	}
	if code := p.state().ExitCode(); code != 0 {
		return fmt.Errorf("ended with %v", p.state())
	}
	return nil
}

// tail is the end of what the process and those before it in the same log
// have printed.
func (p *child) tail() string {
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	const length = 6 << 10
	if info, err := f.Stat(); err == nil && info.Size() > length {
		if _, err := f.Seek(-length, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
