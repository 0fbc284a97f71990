package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a request.
const (
	TimestampHeader = "Imdad-Timestamp"
	SignatureHeader = "Imdad-Signature"
	KeyHeader       = "Idempotency-Key"
)

// Window is how far a timestamp may be from the receiver's clock.
const Window = 5 * time.Minute

// scheme names the way of signing, so that another can be introduced beside it.
const scheme = "v1="

// What Verify finds.
var (
	// ErrSignature: the body, the timestamp or the secret is not what was signed.
	ErrSignature = errors.New("the signature does not match")
	// ErrTimestamp: the request is genuine but old, or the clocks disagree.
	ErrTimestamp = errors.New("the timestamp is outside the window")
)

// Verify checks a request that came in: its headers, and its whole body. now is the receiver's clock.
func Verify(secret string, header http.Header, body []byte, now time.Time) error {
	stamp := header.Get(TimestampHeader)
	given, ok := strings.CutPrefix(header.Get(SignatureHeader), scheme)
	if !ok || !hmac.Equal([]byte(given), []byte(sign(secret, stamp, body))) {
		return ErrSignature
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %q is no number", ErrTimestamp, stamp)
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > Window {
		return fmt.Errorf("%w: off by %v", ErrTimestamp, off)
	}
	return nil
}

// sign returns the hexadecimal digits of HMAC-SHA256(secret, stamp + "." + body).
func sign(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
