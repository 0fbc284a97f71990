package peers

import (
	"strings"
	"testing"
)

func TestAlertmanagerAnswersAmtool(t *testing.T) {
	t.Parallel()
	p, err := StartAlertmanager(t.Context(), AlertmanagerOptions{
		Dir: t.TempDir(), Config: "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := Amtool(t.Context(), p.Addr(), "alert", "add", "alertname=trip", "zone=craft"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := Amtool(t.Context(), p.Addr(), "alert", "query", "zone=craft"); err != nil || !strings.Contains(out, "trip") {
		t.Errorf("amtool: %v: %s, want the alert", err, out)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestAlertmanagerExplainsARefusedConfiguration(t *testing.T) {
	t.Parallel()
	_, err := StartAlertmanager(t.Context(), AlertmanagerOptions{Dir: t.TempDir(), Config: "route: {receiver: missing}\n"})
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("err = %v, want one with what alertmanager says", err)
	}
}
