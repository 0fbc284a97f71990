package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

const goldenAPI = "testdata/openapi.golden.json"

// TestOpenAPI holds the description against the golden one: other people's
// clients are made from it.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	a := newFace(t).ask(http.MethodGet, "/api/openapi.json", "")
	if a.code != http.StatusOK {
		t.Fatalf("%d %s", a.code, a.body)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(a.body), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile(goldenAPI, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the description is not that of %s; run with -update if that is meant:\n%s", goldenAPI, got.String())
	}
	if address := regexp.MustCompile(`https?://[^"]*`).FindString(a.body); address != "" {
		t.Errorf("it names %s", address)
	}
}

// openapi is what is checked of a description.
type openapi struct {
	OpenAPI string
	Info    struct{ Title, Version string }
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Parameters  []struct {
			Name, In string
			Required bool
		}
		Responses map[string]json.RawMessage
	}
	Components struct {
		Schemas map[string]json.RawMessage
	}
}

// TestOpenAPIHoldsTogether: every reference leads somewhere, every part of a
// path is a parameter, every operation has a name of its own and answers.
func TestOpenAPIHoldsTogether(t *testing.T) {
	t.Parallel()
	a := newFace(t).ask(http.MethodGet, "/api/openapi.json", "")
	d := into[openapi](t, a)
	if !strings.HasPrefix(d.OpenAPI, "3.1") || d.Info.Title != "Imdad" || d.Info.Version != "1.2.3" {
		t.Errorf("%s %+v", d.OpenAPI, d.Info)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(a.body, -1) {
		name, ok := strings.CutPrefix(ref[1], "#/components/schemas/")
		if _, found := d.Components.Schemas[name]; !ok || !found {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	ids := make(map[string]string)
	for path, operations := range d.Paths {
		for method, o := range operations {
			where := method + " " + path
			if before, taken := ids[o.OperationID]; taken || o.OperationID == "" {
				t.Errorf("%s: its name %q is that of %s", where, o.OperationID, before)
			}
			ids[o.OperationID] = where
			for _, part := range regexp.MustCompile(`{(\w+)}`).FindAllStringSubmatch(path, -1) {
				if !strings.Contains(fmt.Sprint(o.Parameters), "{"+part[1]+" path true}") {
					t.Errorf("%s: %s is no parameter: %v", where, part[1], o.Parameters)
				}
			}
			if len(o.Responses) < 2 {
				t.Errorf("%s has %d responses", where, len(o.Responses))
			}
		}
	}
	if len(ids) != 11 {
		t.Errorf("%d operations", len(ids))
	}
}

// What is not there, and what would be loaded from elsewhere.
func TestPaths(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	for target, code := range map[string]int{
		"GET /docs": http.StatusNotFound, "GET /api/v1": http.StatusNotFound, "GET /api/v1/alarm": http.StatusNotFound,
		"DELETE /api/v1/alarms/a:b": http.StatusMethodNotAllowed, "PUT /acknowledge": http.StatusMethodNotAllowed,
		"GET /api/v1/alarms/a:b/acknowledge": http.StatusMethodNotAllowed,
	} {
		method, path, _ := strings.Cut(target, " ")
		if a := f.ask(method, path, ""); a.code != code {
			t.Errorf("%s: %d, want %d", target, a.code, code)
		}
	}
}
