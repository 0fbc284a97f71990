package peers

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childEnv makes the test binary play a parent that dies without stopping its peer.
const childEnv = "PEERS_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		playParent(dir)
	}
	goleak.VerifyTestMain(m)
}

// playParent starts a broker, tells its address and waits to be killed.
func playParent(dir string) {
	p, err := StartMosquitto(context.Background(), MosquittoOptions{Dir: dir})
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(p.Addr() + "\n")
	<-p.Exited()
	os.Exit(1)
}

func TestStopIsIdempotentAndFreesThePort(t *testing.T) {
	t.Parallel()
	p, err := StartMosquitto(t.Context(), MosquittoOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
	if err := p.Kill(); err != nil {
		t.Errorf("Kill after Stop: %v", err)
	}
	if err := dial(t.Context(), p.Addr()); err == nil {
		t.Errorf("something still listens on %s", p.Addr())
	}
	if !strings.Contains(p.Log(), "terminating") {
		t.Errorf("the log does not show a clean end:\n%s", p.Log())
	}
}

func TestStopReportsAnEndThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	p, err := StartMosquitto(t.Context(), MosquittoOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Exited()
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Errorf("Stop: %v, want an error about an unexpected end", err)
	}
}

func TestStartExplainsARefusedConfiguration(t *testing.T) {
	t.Parallel()
	_, err := StartMosquitto(t.Context(), MosquittoOptions{Dir: t.TempDir(), Extra: []string{"no_such_setting 1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("err = %v, want one with what mosquitto says about no_such_setting", err)
	}
}

func TestStartWaitsForItsPortUntilTheDeadline(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = StartMosquitto(ctx, MosquittoOptions{Dir: t.TempDir(), Addr: l.Addr().String()})
	if err == nil {
		t.Fatal("a broker started on a port that is taken")
	}
	if !errors.Is(err, errAddrInUse) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want one about the port", err)
	}
}

func TestStartTakesThePortOnceItIsFree(t *testing.T) {
	t.Parallel()
	first, err := StartMosquitto(t.Context(), MosquittoOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		p   *Process
		err error
	}
	got := make(chan result, 1)
	go func() {
		p, err := StartMosquitto(t.Context(), MosquittoOptions{Dir: t.TempDir(), Addr: first.Addr()})
		got <- result{p, err}
	}()
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	r := <-got
	if r.err != nil {
		t.Fatal(r.err)
	}
	if err := r.p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestAPausedServerAnswersNothingAndCanBeStopped(t *testing.T) {
	t.Parallel()
	p := startInflux(t, InfluxDBOptions{Dir: t.TempDir()})
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "silence", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return errors.Is(influxUp(ctx, p.Addr(), false), context.DeadlineExceeded)
	})
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := influxUp(t.Context(), p.Addr(), false); err != nil {
		t.Errorf("a resumed server: %v", err)
	}
	if err := errors.Join(p.Pause(), p.Stop()); err != nil {
		t.Errorf("stop of a paused server: %v", err)
	}
}

// TestPeerDiesWithItsParent kills a process that holds a broker and waits for the port to go dead.
func TestPeerDiesWithItsParent(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), childEnv+"="+t.TempDir())
	var out tail
	parent.Stdout, parent.Stderr = &out, &out
	// The broker inherits nothing of the pipe, but Wait must not hang if that ever changes.
	parent.WaitDelay = 10 * time.Second
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the broker's address", func() bool { return strings.Contains(out.String(), "\n") })
	addr := strings.TrimSpace(out.String())
	if err := dial(t.Context(), addr); err != nil {
		t.Fatalf("broker at %q: %v", addr, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // "signal: killed"
	eventually(t, "the end of the broker", func() bool { return dial(t.Context(), addr) != nil })
}

func TestBuiltNamesTheMakeTarget(t *testing.T) {
	_, err := built("no-such-program")
	if err == nil || !strings.Contains(err.Error(), "make bin/no-such-program") {
		t.Errorf("err = %v, want one that names the make target", err)
	}
	t.Chdir(t.TempDir())
	if _, err := built("influxd"); err == nil || !strings.Contains(err.Error(), mainModule) {
		t.Errorf("outside the module: err = %v, want one that names the module", err)
	}
}

func TestModuleRootPassesByNestedModules(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join("..", "influxd"))
	if got, err := moduleRoot(); err != nil || got != root {
		t.Errorf("from a nested module: %q, %v; want %q", got, err, root)
	}
}

func TestInstalledNamesTheInstaller(t *testing.T) {
	t.Parallel()
	_, err := installed("no-such-program")
	if err == nil || !strings.Contains(err.Error(), "deploy/dev/install") {
		t.Errorf("err = %v, want one that names the installer", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var log tail
	for range 5 * tailBytes / 10 {
		if n, err := log.Write([]byte("123456789\n")); n != 10 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	_, _ = log.Write([]byte("the end"))
	got := log.String()
	if len(got) != tailBytes || !strings.HasSuffix(got, "123456789\nthe end") {
		t.Errorf("kept %d bytes ending in %q", len(got), got[len(got)-20:])
	}
	if cap(log.buf) > 3*tailBytes {
		t.Errorf("it holds %d bytes of memory", cap(log.buf))
	}
}

// eventually waits for a condition, at most ten seconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
