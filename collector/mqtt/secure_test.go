package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority issues certificates for a test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key = a.write("ca", template, template, nil)
	return a
}

// issue makes NAME.crt and NAME.key for server and client use on 127.0.0.1.
func (a *authority) issue(name string) (cert, key string) {
	a.t.Helper()
	a.write(name, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, a.key)
	return a.path(name + ".crt"), a.path(name + ".key")
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) write(name string, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".crt": {Type: "CERTIFICATE", Bytes: der},
		name + ".key": {Type: "EC PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(a.path(file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return cert, key
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closeListener(t, ln)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func closeListener(t *testing.T, ln net.Listener) {
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.issue("broker")
	secured := []string{"cafile " + ca.path("ca.crt"), "certfile " + cert, "keyfile " + key, "require_certificate true"}
	clientCert, clientKey := ca.issue("client")
	own := TLS{CA: ca.path("ca.crt"), Cert: clientCert, Key: clientKey}
	for _, c := range []struct {
		scheme   string
		listener []string
		tls      TLS
	}{
		{"tcp", nil, TLS{}},
		{"ssl", secured, own},
		{"ws", []string{"protocol websockets"}, TLS{}},
		{"wss", append([]string{"protocol websockets"}, secured...), own},
	} {
		t.Run(c.scheme, func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			broker := startBroker(t, append([]string{"listener " + port + " 127.0.0.1"}, c.listener...)...)
			o := intakeOptions{config: configFor(broker.Addr()), statePath: filepath.Join(t.TempDir(), "sessions.json")}
			o.config.Brokers = []string{c.scheme + "://127.0.0.1:" + port + "/mqtt"}
			o.config.TLS = c.tls
			in := start(t, o)
			in.awaitSubscribed()
			p := newPublisher(t, broker.Addr())
			p.publish(topic, 1, 0, 3000)
			eventually(t, "all messages come", func() bool { return in.count() == 3000 })
			in.stop()
			p.publish(topic, 1, 3000, 4000)
			again := start(t, o)
			eventually(t, "the rest comes", func() bool { return again.count() == 1000 })
			again.stop()
			ordered(t, append(in.numbers(), again.numbers()...), 4000)
		})
	}
}

func TestTLSRefusals(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	cert, key := ca.issue("broker")
	port := freePort(t)
	startBroker(t, "listener "+port+" 127.0.0.1", "cafile "+ca.path("ca.crt"), "certfile "+cert, "keyfile "+key,
		"require_certificate true")
	for _, c := range []struct {
		name string
		tls  TLS
		want string
	}{
		{"unknown authority", TLS{CA: stranger.path("ca.crt")}, "unknown authority"},
		{"no certificate", TLS{CA: ca.path("ca.crt")}, "certificate required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := intakeOptions{config: configFor("")}
			o.config.Brokers, o.config.TLS = []string{"ssl://127.0.0.1:" + port}, c.tls
			in := start(t, o)
			eventually(t, "the status says why", func() bool {
				return strings.Contains(in.session("imdad").LastError, c.want)
			})
		})
	}
}

func TestTLSFilesAreReadAgainAtEachConnect(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	cert, key := ca.issue("broker")
	port := freePort(t)
	startBroker(t, "listener "+port+" 127.0.0.1", "cafile "+ca.path("ca.crt"), "certfile "+cert, "keyfile "+key)
	o := intakeOptions{config: configFor("")}
	o.config.Brokers, o.config.TLS = []string{"ssl://127.0.0.1:" + port}, TLS{CA: stranger.path("ca.crt")}
	in := start(t, o)
	eventually(t, "the wrong authority fails", func() bool { return in.session("imdad").LastError != "" })
	if err := os.Rename(ca.path("ca.crt"), stranger.path("ca.crt")); err != nil {
		t.Fatal(err)
	}
	in.awaitSubscribed()
}

func TestARotatedPassword(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", users, "collector", "right").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	broker := startBroker(t, "password_file "+users)
	var password atomic.Value
	password.Store("wrong")
	o := intakeOptions{config: configFor(broker.Addr()), password: func() (string, error) {
		return fmt.Sprint(password.Load()), nil
	}}
	o.config.Username = "collector"
	in := start(t, o)
	eventually(t, "the password is refused", func() bool {
		return strings.Contains(in.session("imdad").LastError, "Not Authorised")
	})
	password.Store("right")
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 10)
	eventually(t, "messages come", func() bool { return in.count() == 10 })
}
