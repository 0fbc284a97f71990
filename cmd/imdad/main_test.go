package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain also lets the test binary be the program: called by the name imdad
// it runs the command line it is given, so that scripts, and tests that need a
// child of their own to kill, always run the code under test.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){
		"imdad": func() { os.Exit(run()) },
	})
}

// leakChecked fails a run whose tests leave goroutines behind.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left behind:", err)
		return 1
	}
	return code
}
