package mqtt

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// TestEncryptionAndRenewedAuthorities speaks TLS on a second listener, whose authority becomes known only later.
func TestEncryptionAndRenewedAuthorities(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, err := peers.SelfSigned(dir, "broker")
	if err != nil {
		t.Fatal(err)
	}
	stranger, _, err := peers.SelfSigned(dir, "stranger")
	if err != nil {
		t.Fatal(err)
	}
	secure, err := peers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(secure)
	if err != nil {
		t.Fatal(err)
	}
	p := broker(t, peers.MosquittoOptions{Dir: dir, Extra: []string{"listener " + port + " 127.0.0.1", "certfile " + cert, "keyfile " + key}})
	authority := filepath.Join(dir, "ca.pem")
	copyFile(t, stranger, authority)
	c := open(t, func(o *Options) { o.Config.Brokers, o.Config.TLS.CA = []string{"ssl://" + secure}, authority })
	n := notice(outage("F-1", "adra", "craft", alarm.Unacknowledged))
	if err := c.Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "unknown authority") || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("an unknown authority: %v", err)
	}
	copyFile(t, cert, authority)
	if err := c.Send(t.Context(), n); err != nil {
		t.Errorf("once it is known: %v\n%s", err, p.Log())
	}
	if got := retained(t, p.Addr()); len(got) != 1 {
		t.Errorf("retained %v", got)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
