// Package deploy_test reads the files of this folder as the programs that run them would, and checks that they agree: no
// container engine is at hand where the tests run, but the real broker, database, promtool and imdad are.
package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read returns a file of this folder.
func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// readYAML decodes a file of this folder.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// exists says whether a path of this folder is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// only returns the single submatch of pattern in text.
func only(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1)
	if len(found) != 1 {
		t.Fatalf("%d matches of %s, want 1", len(found), pattern)
	}
	return found[0][1]
}

// keys returns the set of what a pattern's submatch finds.
func keys(text, pattern string) map[string]bool {
	set := make(map[string]bool)
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		set[m[1]] = true
	}
	return set
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := read(t, "Dockerfile")
	stages := regexp.MustCompile(`(?m)^FROM `).Split(text, -1)
	final := stages[len(stages)-1]

	goVersion := only(t, read(t, "../go.mod"), `(?m)^go (\d+\.\d+)`)
	if got := only(t, text, `(?m)^FROM golang:(\d+\.\d+)`); got != goVersion {
		t.Errorf("built with Go %s, go.mod says %s", got, goVersion)
	}
	if !strings.HasPrefix(final, "scratch") {
		t.Error("the final image is not empty but for what is copied")
	}
	if !strings.Contains(text, "ENV CGO_ENABLED=0\n") {
		t.Error("the binary is not static: CGO_ENABLED=0 is missing")
	}
	if uid := only(t, final, `(?m)^USER (\d+):\d+$`); uid == "0" {
		t.Error("it runs as root")
	}
	for dir := range keys(text, `\./(cmd/[a-z]+)`) {
		if !exists(filepath.Join("..", dir, "main.go")) {
			t.Errorf("%s is no program", dir)
		}
	}
	for _, dir := range []string{"cmd/imdad", "cmd/metersim"} {
		if !strings.Contains(text, "./"+dir) {
			t.Errorf("%s is not built", dir)
		}
	}
	for line := range strings.Lines(read(t, "Dockerfile.dockerignore")) {
		if kept := strings.TrimSpace(line); strings.HasPrefix(kept, "configs") || strings.HasPrefix(kept, "cmd") {
			t.Errorf("%s is needed for the build but left out of its context", kept)
		}
	}
}

// TestSystemdUnit checks what the unit promises in DESIGN: a state directory, a reload by SIGHUP, nothing writable
// besides.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	unit := readUnit(t, "systemd/imdad.service")
	for key, want := range map[string]string{
		"Service.ExecStart":       "/usr/local/bin/imdad run --config /etc/imdad/imdad.yaml",
		"Service.ExecReload":      "/bin/kill -HUP $MAINPID",
		"Service.StateDirectory":  "imdad",
		"Service.DynamicUser":     "yes",
		"Service.ProtectSystem":   "strict",
		"Service.ProtectHome":     "yes",
		"Service.NoNewPrivileges": "yes",
		"Service.Restart":         "always",
		"Install.WantedBy":        "multi-user.target",
	} {
		if got := unit[key]; got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if got, ok := unit["Service.CapabilityBoundingSet"]; !ok || got != "" {
		t.Errorf("it keeps capabilities: %q", got)
	}
	families := strings.Fields(unit["Service.RestrictAddressFamilies"])
	if len(families) == 0 {
		t.Error("any kind of socket is allowed")
	}
	for _, path := range []string{"configs/imdad.yaml", "deploy/systemd/imdad.service"} {
		if strings.Contains(read(t, "systemd/imdad.service"), path) && !exists(filepath.Join("..", path)) {
			t.Errorf("it tells to install %s, which does not exist", path)
		}
	}
}

// readUnit returns a unit's settings under Section.Key; of a key given twice, the last.
func readUnit(t *testing.T, path string) map[string]string {
	t.Helper()
	settings, section := make(map[string]string), ""
	for line := range strings.Lines(read(t, path)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case ok && section != "":
			settings[section+"."+key] = value
		default:
			t.Fatalf("%s: not a setting: %q", path, line)
		}
	}
	return settings
}
