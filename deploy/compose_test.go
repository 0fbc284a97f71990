package deploy_test

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type compose struct {
	Services map[string]service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
}

type service struct {
	Image       string            `yaml:"image"`
	Build       map[string]string `yaml:"build"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Command     []string          `yaml:"command"`
	DependsOn   []string          `yaml:"depends_on"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	readYAML(t, "compose.yaml", &c)
	return c
}

// inside returns the file or folder of the repository that a service sees at a path, or "" if nothing is mounted there.
func (s service) inside(target string) string {
	for _, v := range s.Volumes {
		parts := strings.Split(v, ":")
		if !strings.HasPrefix(parts[0], ".") {
			continue
		}
		if rest, ok := strings.CutPrefix(target, parts[1]); ok && (rest == "" || rest[0] == '/') {
			return filepath.Join(parts[0], rest)
		}
	}
	return ""
}

// keeps says whether a path lies in a named volume.
func (s service) keeps(target string) bool {
	return slices.ContainsFunc(s.Volumes, func(v string) bool {
		parts := strings.Split(v, ":")
		return !strings.HasPrefix(parts[0], ".") && parts[1] == path.Clean(target)
	})
}

// listens says whether a service publishes a port of its own.
func (s service) listens(port string) bool {
	return slices.ContainsFunc(s.Ports, func(p string) bool { return strings.HasSuffix(p, ":"+port) })
}

func TestComposeIsWhole(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	used := make(map[string]bool)
	hostPorts := make(map[string]string)
	for name, s := range c.Services {
		pinned := regexp.MustCompile(`^[a-z/-]+:v?\d+\.\d+\.\d+$`).MatchString(s.Image)
		if s.Image != "imdad:local" && !pinned {
			t.Errorf("%s: the image %s is not pinned to a full version", name, s.Image)
		}
		if f := s.Build["dockerfile"]; f != "" && !exists(filepath.Join(s.Build["context"], f)) {
			t.Errorf("%s: no %s in %s", name, f, s.Build["context"])
		}
		for _, other := range s.DependsOn {
			if _, ok := c.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is no service", name, other)
			}
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(source, ".") {
				if !exists(source) {
					t.Errorf("%s mounts %s, which does not exist", name, source)
				}
				if !strings.HasSuffix(v, ":ro") {
					t.Errorf("%s may write into %s", name, source)
				}
				continue
			}
			if _, ok := c.Volumes[source]; !ok {
				t.Errorf("%s mounts the volume %s, which is not declared", name, source)
			}
			used[source] = true
		}
		for _, p := range s.Ports {
			host := p[:strings.LastIndex(p, ":")]
			if other := hostPorts[host]; other != "" {
				t.Errorf("%s and %s both publish %s", name, other, host)
			}
			hostPorts[host] = name
			if name != "broker" && !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s is open to the network at %s", name, p)
			}
		}
	}
	for v := range c.Volumes {
		if !used[v] {
			t.Errorf("nobody mounts the volume %s", v)
		}
	}
}

func TestComposeSecretsAreInTheExample(t *testing.T) {
	t.Parallel()
	wanted := keys(read(t, "compose.yaml"), `\$\{([A-Z_]+):\?`)
	if got := keys(read(t, "compose.yaml"), `[^$]\$\{?([A-Z_]+)`); len(got) != len(wanted) {
		t.Errorf("variables %v, of which only %v are demanded with :?", got, wanted)
	}
	given := keys(read(t, ".env.example"), `(?m)^([A-Z_]+)=.+$`)
	if fmt.Sprint(wanted) != fmt.Sprint(given) { // maps print sorted
		t.Errorf("compose.yaml wants %v, .env.example has %v", wanted, given)
	}
}

// TestServicesFindEachOther follows every address of the stack's configuration to the service that must answer there.
func TestServicesFindEachOther(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	var imdad struct {
		MQTT struct {
			Brokers []string `yaml:"brokers"`
		} `yaml:"mqtt"`
		Influx struct {
			URL string `yaml:"url"`
		} `yaml:"influx"`
	}
	readYAML(t, "imdad.yaml", &imdad)
	var sources struct {
		Datasources []datasource `yaml:"datasources"`
	}
	readYAML(t, "grafana/provisioning/datasources/imdad.yaml", &sources)
	var prometheus struct {
		Scrape []struct {
			Job    string `yaml:"job_name"`
			Static []struct {
				Targets []string `yaml:"targets"`
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "prometheus/prometheus.yml", &prometheus)

	addresses := map[string]string{
		"imdad.yaml: influx.url": imdad.Influx.URL,
		"the simulated meters":   c.Services["meters"].Command[1],
	}
	for i, b := range imdad.MQTT.Brokers {
		addresses[fmt.Sprintf("imdad.yaml: mqtt.brokers[%d]", i)] = b
	}
	for _, d := range sources.Datasources {
		addresses["Grafana's "+d.Name] = d.URL
	}
	for _, job := range prometheus.Scrape {
		for _, s := range job.Static {
			for _, target := range s.Targets {
				addresses["Prometheus' job "+job.Job] = "http://" + strings.Replace(target, "localhost", "prometheus", 1)
			}
		}
	}
	if len(addresses) < 7 {
		t.Errorf("only %d addresses found: %v", len(addresses), addresses)
	}
	for who, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			t.Errorf("%s: %v", who, err)
			continue
		}
		s, ok := c.Services[u.Hostname()]
		if !ok {
			t.Errorf("%s: there is no service %s", who, u.Hostname())
		} else if !s.listens(u.Port()) {
			t.Errorf("%s: %s does not listen on %s, but on %v", who, u.Hostname(), u.Port(), s.Ports)
		}
	}
}

func TestServicesFindTheirFiles(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	mosquitto := read(t, "mosquitto/mosquitto.conf")
	for _, f := range []struct{ service, path string }{
		{"broker", only(t, strings.Join(c.Services["broker"].Command, "\n"), `mosquitto -c (\S+)`)},
		{"broker", only(t, mosquitto, `(?m)^acl_file (\S+)$`)},
		{"prometheus", only(t, strings.Join(c.Services["prometheus"].Command, "\n"), `--config\.file=(\S+)`)},
		{"imdad", c.Services["imdad"].Command[2]},
		{"grafana", "/etc/grafana/provisioning/datasources/imdad.yaml"},
		{"grafana", "/etc/grafana/provisioning/dashboards/imdad.yaml"},
		{"grafana", c.Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]},
		{"grafana", only(t, read(t, "grafana/provisioning/dashboards/imdad.yaml"), `path: (\S+)`)},
	} {
		if at := c.Services[f.service].inside(f.path); at == "" || !exists(at) {
			t.Errorf("%s does not see %s (mounted from %q)", f.service, f.path, at)
		}
	}
	for _, d := range []struct{ service, path string }{
		{"broker", only(t, mosquitto, `(?m)^persistence_location (\S+)$`)},
		{"influxdb", "/var/lib/influxdb2"},
		{"imdad", only(t, read(t, "imdad.yaml"), `(?m)^data_dir: (\S+)$`)},
		{"imdad", only(t, read(t, "Dockerfile"), `(?m)^VOLUME (\S+)$`)},
		{"prometheus", only(t, strings.Join(c.Services["prometheus"].Command, "\n"), `--storage\.tsdb\.path=(\S+)`)},
		{"grafana", "/var/lib/grafana"},
	} {
		if !c.Services[d.service].keeps(d.path) {
			t.Errorf("%s writes into %s, which is not in a volume", d.service, d.path)
		}
	}
	// The broker makes its password file itself.
	passwords := only(t, mosquitto, `(?m)^password_file (\S+)$`)
	if !strings.Contains(strings.Join(c.Services["broker"].Command, "\n"), "mosquitto_passwd -c -b "+passwords+" ") {
		t.Errorf("nobody makes the password file %s", passwords)
	}
}
