package peers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
)

// Promtool runs Prometheus's own checker, for example Promtool(ctx, exposition, "check", "metrics"), and returns all that
// it printed. A finding is an error that contains it.
func Promtool(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	return runTool(ctx, stdin, "promtool", args...)
}

// runTool runs an installed program to its end and returns all that it printed.
func runTool(ctx context.Context, stdin io.Reader, name string, args ...string) (string, error) {
	binary, err := installed(name)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %v: %w:\n%s", name, args, err, out.String())
	}
	return out.String(), nil
}
