package configs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestSection(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"a key", errors.New("brokers: none given"), "mqtt.brokers: none given"},
		{"a list item of the section itself", errors.New("[2].name: missing"), "mqtt[2].name: missing"},
		{"no path", errors.New("needs TLS: say so"), "mqtt: needs TLS: say so"},
		{"joined", errors.Join(errors.New("a: x"), errors.New("b[0].c: y")), "mqtt.a: x\nmqtt.b[0].c: y"},
		{"nested", errors.Join(Section("tls", errors.Join(errors.New("ca: x"), nil)), errors.New("b: y")), "mqtt.tls.ca: x\nmqtt.b: y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Section("mqtt", tt.err).Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSectionKeepsCauses(t *testing.T) {
	t.Parallel()
	if err := Section("mqtt", nil); err != nil {
		t.Errorf("Section of nil is %v", err)
	}
	cause := errors.New("cause")
	if err := Section("a", Section("b", fmt.Errorf("key: %w", cause))); !errors.Is(err, cause) {
		t.Errorf("%v has lost its cause", err)
	}
}

func TestSplitPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		want []step
	}{
		{"a", []step{{key: "a"}}},
		{"a.b_c", []step{{key: "a"}, {key: "b_c"}}},
		{"a[0][12].b", []step{{key: "a"}, {index: 0}, {index: 12}, {key: "b"}}},
		{"[3].x", []step{{index: 3}, {key: "x"}}},
		{"", nil}, {".a", nil}, {"a.", nil}, {"a..b", nil}, {"a[", nil}, {"a[x]", nil}, {"a[-1]", nil},
		{"two words", nil}, {"a[0]b", nil}, {`"q"`, nil},
	}
	for _, tt := range tests {
		got, ok := splitPath(tt.path)
		if fmt.Sprint(got) != fmt.Sprint(tt.want) && tt.want != nil || ok != (tt.want != nil) {
			t.Errorf("splitPath(%q) = %v, %v; want %v", tt.path, got, ok, tt.want)
		}
	}
}

func TestSourcePositions(t *testing.T) {
	t.Parallel()
	s, ms := newSource("x", []byte("\ufeffab\r\nإمداد z\n"))
	if ms != nil {
		t.Fatal(ms)
	}
	tests := []struct {
		offset int
		want   string
	}{
		{-1, "x:1:1"}, {0, "x:1:1"}, {2, "x:1:3"}, {3, "x:2:1"}, {5, "x:2:2"}, {14, "x:2:7"}, {99, "x:3:1"},
	}
	for _, tt := range tests {
		if got := s.at(tt.offset).String(); got != tt.want {
			t.Errorf("at(%d) = %s, want %s", tt.offset, got, tt.want)
		}
	}
	clamped := []struct {
		line, column int
		want         string
	}{
		{0, 0, "x:1:1"}, {1, 9, "x:1:3"}, {2, 99, "x:2:8"}, {9, 9, "x:3:1"},
	}
	for _, tt := range clamped {
		if got := s.clamp(tt.line, tt.column).String(); got != tt.want {
			t.Errorf("clamp(%d, %d) = %s, want %s", tt.line, tt.column, got, tt.want)
		}
	}
}

func TestSecret(t *testing.T) {
	t.Setenv("IMDAD_TEST_TOKEN", "s3cret")
	t.Setenv("IMDAD_TEST_EMPTY", "")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain, windows, two := write("plain", "tok"), write("windows", "tok\r\n"), write("two", "tok\n\n")
	missing := filepath.Join(dir, "missing")
	tests := []struct {
		name, raw, want, err string
	}{
		{"literal", "user:pass", "user:pass", ""},
		{"empty", "", "", ""},
		{"variable inside a literal is not one", "a${IMDAD_TEST_TOKEN}", "a${IMDAD_TEST_TOKEN}", ""},
		{"variable", "${IMDAD_TEST_TOKEN}", "s3cret", ""},
		{"empty variable", "${IMDAD_TEST_EMPTY}", "", ""},
		{"unset variable", "${IMDAD_TEST_UNSET}", "", "read secret: environment variable IMDAD_TEST_UNSET is not set"},
		{"text behind the variable", "${IMDAD_TEST_TOKEN}x", "", "read secret: a variable is written ${NAME} and nothing around it"},
		{"no name", "${}", "", "read secret: a variable is written ${NAME} and nothing around it"},
		{"two variables", "${A}${B}", "", "read secret: a variable is written ${NAME} and nothing around it"},
		{"file", "file:" + plain, "tok", ""},
		{"file with CRLF", "file:" + windows, "tok", ""},
		{"one newline is trimmed", "file:" + two, "tok\n", ""},
		{"missing file", "file:" + missing, "", "read secret: " + missing + ": cannot open: no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Secret(tt.raw)
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Errorf("Secret(%q) = %q, %v; want %q, %s", tt.raw, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestSecretFileIsReadEachTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	for _, token := range []string{"old", "new"} {
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Secret("file:" + path); err != nil || got != token {
			t.Errorf("got %q, %v; want %q", got, err, token)
		}
	}
}
