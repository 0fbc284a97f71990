package influx

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateHoldsAllButTheProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		if g.wait(t.Context()) != nil || g.status().Degraded {
			t.Fatal("the zero gate is not open")
		}
		if !g.shut("down") || g.shut("also down") {
			t.Fatal("not exactly one shuts the gate")
		}
		begun := time.Now()
		time.Sleep(time.Minute) //nolint:forbidigo // the clock is synctest's
		g.says("still down")
		if got, want := g.status(), (Status{Degraded: true, Since: begun, Cause: "still down"}); got != want {
			t.Errorf("status %+v, want %+v", got, want)
		}
		passed := make(chan error, 3)
		for range 3 {
			go func() { passed <- g.wait(t.Context()) }()
		}
		synctest.Wait()
		if len(passed) != 0 {
			t.Error("somebody passed a shut gate")
		}
		g.open(t.Context())
		synctest.Wait()
		if len(passed) != 3 {
			t.Errorf("%d passed the open gate", len(passed))
		}
		if g.status() != (Status{}) {
			t.Errorf("status %+v", g.status())
		}
	})
}

func TestGateLetsGoAtTheEnd(t *testing.T) {
	t.Parallel()
	var g gate
	g.shut("down")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if g.wait(ctx) == nil {
		t.Error("wait forgets that ctx has ended")
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	p := pause{first: 100 * time.Millisecond, most: 5 * time.Second, mostAsked: 5 * time.Minute}
	tests := []struct {
		name        string
		attempt     int
		asked       time.Duration
		least, most time.Duration
	}{
		{"first", 0, 0, 50 * time.Millisecond, 100 * time.Millisecond},
		{"doubles", 3, 0, 400 * time.Millisecond, 800 * time.Millisecond},
		{"bounded", 10, 0, 2500 * time.Millisecond, 5 * time.Second},
		{"never overflows", 1 << 40, 0, 2500 * time.Millisecond, 5 * time.Second},
		{"as asked", 0, 30 * time.Second, 30 * time.Second, 30 * time.Second},
		{"asked for less", 10, time.Millisecond, 2500 * time.Millisecond, 5 * time.Second},
		{"asked for too much", 0, 24 * time.Hour, 5 * time.Minute, 5 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 100 {
				if d := p.length(tt.attempt, tt.asked); d < tt.least || d > tt.most {
					t.Fatalf("%v is not within %v to %v", d, tt.least, tt.most)
				}
			}
		})
	}
}

func TestPauseWakesAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		time.AfterFunc(time.Second, cancel)
		if err := defaultPause.wait(ctx, 0, time.Minute); err == nil || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
