package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Link is what a signed link lets its holder do: acknowledge one occurrence of
// one alarm in one person's name.
type Link struct {
	Alarm      string    `json:"a"`
	Occurrence int64     `json:"o"`
	Person     string    `json:"p"`
	Expires    time.Time `json:"e"`
}

// What Verify refuses.
var (
	// ErrLink: the token is no token, or was not signed with this key.
	ErrLink = errors.New("the link is not valid")
	// ErrExpired: it was valid once.
	ErrExpired = errors.New("the link has expired")
)

const (
	minSecret = 16   // characters of a configured secret
	keyBytes  = 32   // of a random key
	maxToken  = 1024 // bytes; ids are 200 at most
)

// Links signs and verifies links. It is safe for concurrent use.
//
// A token is base64url(JSON of Link) "." base64url(HMAC-SHA256 of the first
// part); it needs no escaping in a URL.
type Links struct{ key []byte }

// NewLinks returns links signed with secret, or, where that is empty, with the
// key in the file notify.key in dir, which is made if it is missing, readable
// by its owner alone.
func NewLinks(secret, dir string) (*Links, error) {
	if secret != "" {
		return &Links{[]byte(secret)}, nil
	}
	path := filepath.Join(dir, "notify.key")
	key, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key = make([]byte, keyBytes)
		if _, err = rand.Read(key); err == nil {
			err = os.WriteFile(path, key, 0o600)
		}
	case err == nil && len(key) != keyBytes:
		err = fmt.Errorf("%s has %d bytes instead of %d; remove it to have a new one made", path, len(key), keyBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("key of signed links: %w", err)
	}
	return &Links{key}, nil
}

// Sign returns the token of a link.
func (l *Links) Sign(link Link) string {
	body, err := json.Marshal(link)
	if err != nil {
		panic(err) // a year beyond 9999 alone
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(l.sum(text))
}

// Verify returns the link that a token stands for, or ErrLink or ErrExpired.
func (l *Links) Verify(token string, now time.Time) (Link, error) {
	text, signature, _ := strings.Cut(token, ".")
	mac, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || len(token) > maxToken || !hmac.Equal(mac, l.sum(text)) {
		return Link{}, ErrLink
	}
	var link Link
	body, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || json.Unmarshal(body, &link) != nil {
		return Link{}, ErrLink
	}
	if !now.Before(link.Expires) {
		return Link{}, ErrExpired
	}
	return link, nil
}

func (l *Links) sum(text string) []byte {
	h := hmac.New(sha256.New, l.key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
