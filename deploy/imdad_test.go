package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImdadAcceptsItsConfiguration lets the real program check the stack's file, with the container's paths turned into
// this machine's.
func TestImdadAcceptsItsConfiguration(t *testing.T) {
	t.Parallel()
	imdad := readCompose(t).Services["imdad"]
	cities, err := filepath.Abs(imdad.inside("/etc/imdad/cities"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(read(t, "imdad.yaml"), "/etc/imdad/cities", cities)
	config := filepath.Join(t.TempDir(), "imdad.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), "go", "run", "../cmd/imdad", "check", "--config", config)
	check.Env = os.Environ()
	for name := range imdad.Environment {
		check.Env = append(check.Env, name+"=secret")
	}
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("imdad check: %v\n%s", err, out)
	}
}

// TestImdadAndTheServersAgree compares names and secrets that stand in two files each.
func TestImdadAndTheServersAgree(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	var config struct {
		MQTT struct {
			Username string `yaml:"username"`
		} `yaml:"mqtt"`
		Influx struct {
			Org    string `yaml:"org"`
			Bucket string `yaml:"bucket"`
			Token  string `yaml:"token"`
		} `yaml:"influx"`
		HTTP struct {
			Listen string `yaml:"listen"`
		} `yaml:"http"`
		Cities []string `yaml:"cities"`
	}
	readYAML(t, "imdad.yaml", &config)
	imdad, influx := c.Services["imdad"], c.Services["influxdb"].Environment

	for _, pair := range [][2]string{
		{config.Influx.Org, influx["DOCKER_INFLUXDB_INIT_ORG"]},
		{config.Influx.Bucket, influx["DOCKER_INFLUXDB_INIT_BUCKET"]},
		{imdad.Environment["IMDAD_INFLUX_TOKEN"], influx["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"]},
		{imdad.Environment["IMDAD_MQTT_PASSWORD"], c.Services["broker"].Environment["IMDAD_MQTT_PASSWORD"]},
		{config.Influx.Token, "${IMDAD_INFLUX_TOKEN}"},
	} {
		if pair[0] != pair[1] || pair[0] == "" {
			t.Errorf("%q is not %q", pair[0], pair[1])
		}
	}
	for name := range keys(read(t, "imdad.yaml"), `\$\{([A-Z_]+)\}`) {
		if _, ok := imdad.Environment[name]; !ok {
			t.Errorf("imdad.yaml takes ${%s}, which the container does not have", name)
		}
	}
	if port := only(t, config.HTTP.Listen, `^0\.0\.0\.0:(\d+)$`); !imdad.listens(port) {
		t.Errorf("imdad listens on %s; %v is published", port, imdad.Ports)
	}
	if !strings.Contains(read(t, "mosquitto/acl"), "user "+config.MQTT.Username+"\n") {
		t.Errorf("the broker's access list does not know %s", config.MQTT.Username)
	}
	shipped, err := filepath.Glob(filepath.Join(imdad.inside("/etc/imdad/cities"), "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Cities) != len(shipped) || len(shipped) == 0 {
		t.Errorf("%d cities are watched, %d are shipped", len(config.Cities), len(shipped))
	}
}
