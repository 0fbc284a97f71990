package configs

import (
	"fmt"
	"os"
	"strings"
)

// maxSecret bounds a secret's file, in bytes.
const maxSecret = 1 << 20

// Secret returns what a secret's configuration value stands for:
//
//	${NAME}    the environment variable NAME; an error if it is not set
//	file:PATH  the file's content without its last newline, read at each call,
//	           so that a rotated secret is seen
//	otherwise  the value itself
//
// Errors name the variable or the file, never the secret.
func Secret(raw string) (string, error) {
	if name, ok := strings.CutPrefix(raw, "${"); ok {
		name, ok = strings.CutSuffix(name, "}")
		if !ok || name == "" || strings.ContainsAny(name, "{}$") {
			return "", fmt.Errorf("read secret: a variable is written ${NAME} and nothing around it")
		}
		value, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Errorf("read secret: environment variable %s is not set", name)
		}
		return value, nil
	}
	if path, ok := strings.CutPrefix(raw, "file:"); ok {
		data, err := readBounded(path, maxSecret)
		if err != nil {
			return "", fmt.Errorf("read secret: %s: %w", path, err)
		}
		text := strings.TrimSuffix(string(data), "\n")
		return strings.TrimSuffix(text, "\r"), nil
	}
	return raw, nil
}
