package notify

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const testSecret = "0123456789abcdef"

func testLinks(t testing.TB, secret string) *Links {
	t.Helper()
	l, err := NewLinks(secret, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLinks(t *testing.T) {
	t.Parallel()
	l := testLinks(t, testSecret)
	link := Link{Alarm: "elec.outage:sn-f01", Occurrence: 7, Person: "khaled", Expires: noon.Add(time.Hour)}
	token := l.Sign(link)
	if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Errorf("%s needs escaping in a URL", token)
	}
	if got, err := l.Verify(token, noon); err != nil || got != link {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := l.Verify(token, noon.Add(time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	for i := range token {
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		if _, err := l.Verify(token[:i]+string(c)+token[i+1:], noon); !errors.Is(err, ErrLink) {
			t.Errorf("changed at %d: %v", i, err)
		}
	}
	if _, err := testLinks(t, testSecret+"x").Verify(token, noon); !errors.Is(err, ErrLink) {
		t.Errorf("another key: %v", err)
	}
	for _, bad := range []string{"", ".", "a.b", token + "=", token + ".", strings.Repeat("a", maxToken+1)} {
		if _, err := l.Verify(bad, noon); !errors.Is(err, ErrLink) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestLinkKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := NewLinks("", dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "notify.key"))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != keyBytes {
		t.Errorf("key file: %v, %v", info, err)
	}
	b, err := NewLinks("", dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Verify(a.Sign(Link{Expires: noon.Add(1)}), noon); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notify.key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewLinks("", dir); err == nil {
		t.Error("a cut key is taken")
	}
}

// FuzzVerify: nothing but what Sign made is accepted.
func FuzzVerify(f *testing.F) {
	l := testLinks(f, testSecret)
	link := Link{Alarm: "a", Occurrence: 1, Person: "p", Expires: noon.Add(time.Hour)}
	token := l.Sign(link)
	for _, seed := range []string{"", ".", token, token + "x", "x" + token, token[:10], "e30." + strings.Repeat("A", 43)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := l.Verify(text, noon)
		if err == nil && (text != token || got != link) {
			t.Errorf("%q is accepted as %+v", text, got)
		}
		if err != nil && got != (Link{}) {
			t.Errorf("%q is refused and says %+v", text, got)
		}
	})
}
