package deploy_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type datasource struct {
	Name           string            `yaml:"name"`
	UID            string            `yaml:"uid"`
	Type           string            `yaml:"type"`
	URL            string            `yaml:"url"`
	JSONData       map[string]string `yaml:"jsonData"`
	SecureJSONData map[string]string `yaml:"secureJsonData"`
}

type dashboard struct {
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Templating struct {
		List []struct {
			Name       string    `json:"name"`
			Datasource sourceRef `json:"datasource"`
			Query      any       `json:"query"` // a string, or {"query": string}
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type sourceRef struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID         int       `json:"id"`
	Type       string    `json:"type"`
	Title      string    `json:"title"`
	Datasource sourceRef `json:"datasource"`
	GridPos    struct{ H, W, X, Y int }
	Targets    []struct {
		RefID      string    `json:"refId"`
		Datasource sourceRef `json:"datasource"`
		Expr       string    `json:"expr"`  // PromQL
		Query      string    `json:"query"` // InfluxQL
		Alias      string    `json:"alias"`
	} `json:"targets"`
}

// query is one query of a dashboard, of a panel or a variable.
type query struct {
	where string // for messages
	kind  string // type of the data source
	text  string
	alias string
}

func readDashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob("grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	boards := make(map[string]dashboard)
	for _, f := range files {
		var d dashboard
		if err := json.Unmarshal([]byte(read(t, f)), &d); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		boards[f] = d
	}
	return boards
}

// queries returns all queries of one kind of data source.
func queries(t *testing.T, kind string) []query {
	t.Helper()
	var found []query
	for file, d := range readDashboards(t) {
		for _, v := range d.Templating.List {
			text, ok := v.Query.(string)
			if !ok {
				text = v.Query.(map[string]any)["query"].(string)
			}
			found = append(found, query{where: file + ": variable " + v.Name, kind: v.Datasource.Type, text: text})
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				found = append(found, query{
					where: fmt.Sprintf("%s: %s, %s", file, p.Title, target.RefID),
					kind:  target.Datasource.Type, text: target.Expr + target.Query, alias: target.Alias,
				})
			}
		}
	}
	return slices.DeleteFunc(found, func(q query) bool { return q.kind != kind })
}

func TestDashboardsUseProvisionedSources(t *testing.T) {
	t.Parallel()
	var provisioned struct {
		Datasources []datasource `yaml:"datasources"`
	}
	readYAML(t, "grafana/provisioning/datasources/imdad.yaml", &provisioned)
	known := make(map[sourceRef]bool)
	for _, d := range provisioned.Datasources {
		known[sourceRef{d.Type, d.UID}] = true
	}
	for file, d := range readDashboards(t) {
		ids := make(map[int]bool)
		for i, p := range d.Panels {
			if ids[p.ID] {
				t.Errorf("%s: two panels have the id %d", file, p.ID)
			}
			ids[p.ID] = true
			for _, other := range d.Panels[:i] {
				a, b := p.GridPos, other.GridPos
				if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Errorf("%s: %q lies on %q", file, p.Title, other.Title)
				}
			}
			if p.Type == "row" {
				continue
			}
			if len(p.Targets) == 0 || !known[p.Datasource] {
				t.Errorf("%s: %q has %d queries on %v", file, p.Title, len(p.Targets), p.Datasource)
			}
			for _, target := range p.Targets {
				if target.Datasource != p.Datasource {
					t.Errorf("%s: %q asks %v, its query %s asks %v", file, p.Title, p.Datasource, target.RefID, target.Datasource)
				}
			}
		}
		for _, v := range d.Templating.List {
			if !known[v.Datasource] {
				t.Errorf("%s: the variable %s asks %v", file, v.Name, v.Datasource)
			}
		}
	}
}

// TestGrafanaReachesTheDatabase checks the token header of InfluxQL mode.
func TestGrafanaReachesTheDatabase(t *testing.T) {
	t.Parallel()
	var provisioned struct {
		Datasources []datasource `yaml:"datasources"`
	}
	readYAML(t, "grafana/provisioning/datasources/imdad.yaml", &provisioned)
	i := slices.IndexFunc(provisioned.Datasources, func(d datasource) bool { return d.Type == "influxdb" })
	if i < 0 {
		t.Fatal("no InfluxDB among the data sources")
	}
	d, c := provisioned.Datasources[i], readCompose(t)
	if got, want := d.JSONData["dbName"], c.Services["influxdb"].Environment["DOCKER_INFLUXDB_INIT_BUCKET"]; got != want {
		t.Errorf("it reads %q, the bucket is %q", got, want)
	}
	if d.JSONData["version"] != "InfluxQL" || d.JSONData["httpHeaderName1"] != "Authorization" {
		t.Errorf("not InfluxQL with a token: %v", d.JSONData)
	}
	variable, ok := strings.CutPrefix(d.SecureJSONData["httpHeaderValue1"], "Token $")
	if _, set := c.Services["grafana"].Environment[variable]; !ok || !set {
		t.Errorf("the token is %q; Grafana's container has no such variable", variable)
	}
}
