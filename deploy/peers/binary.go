package peers

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mainModule is the module at whose root bin/ stands.
const mainModule = "github.com/imdad-telemetry/imdad"

// installed finds a program that comes with a package of the system. Debian keeps servers in /usr/sbin, which is not in
// every user's PATH.
func installed(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if path := filepath.Join(dir, name); isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run deploy/dev/install, or `make tools`", name)
}

// built finds a program that the Makefile builds: beside the running executable, or in bin/ of the module that the
// working directory is in.
func built(name string) (string, error) {
	if exe, err := os.Executable(); err == nil {
		if path := filepath.Join(filepath.Dir(exe), name); isFile(path) {
			return path, nil
		}
	}
	root, err := moduleRoot()
	if err != nil {
		return "", fmt.Errorf("find bin/%s: %w", name, err)
	}
	path := filepath.Join(root, "bin", name)
	if !isFile(path) {
		return "", fmt.Errorf("%s is not built: run `make bin/%s`", path, name)
	}
	return path, nil
}

// moduleRoot walks up from the working directory; a go.mod of another (nested) module is passed by.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if moduleName(filepath.Join(dir, "go.mod")) == mainModule {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the module %s", start, mainModule)
		}
	}
}

// moduleName returns what the module line of a go.mod says, or "" if there is no such file.
func moduleName(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
