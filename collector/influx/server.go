package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// askTimeout bounds the requests that carry no lines.
const askTimeout = 10 * time.Second

// server knows which InfluxDB it talks to and can make what is missing there.
type server struct {
	config    Config
	client    influxdb2.Client
	transport *transport
	said      atomic.Pointer[string] // X-Influxdb-Version
}

// hello waits for an answer of the server. Any answer will do that does not
// ask for patience: a proxy may let nothing pass but writes.
func (s *server) hello(ctx context.Context) error {
	answer, err := s.do(ctx, http.MethodGet, "ping", nil)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests {
		return &influxhttp.Error{StatusCode: answer.StatusCode, Code: answer.Status, Header: answer.Header}
	}
	version := answer.Header.Get("X-Influxdb-Version")
	s.said.Store(&version)
	return nil
}

func (s *server) version() string {
	if said := s.said.Load(); said != nil {
		return *said
	}
	return ""
}

// speaksV1 tells whether databases are made with InfluxQL. A server built from
// source says "unknown" if it is 1.x, and "dev" if it is 2.x.
func (s *server) speaksV1() bool {
	version := s.version()
	return strings.HasPrefix(version, "1.") || strings.HasPrefix(version, "v1.") || version == "unknown"
}

// create makes the database and the policy that Bucket names, or the bucket.
// What exists already is left alone.
func (s *server) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := s.hello(ctx); err != nil { // it may be another server by now
		return fmt.Errorf("create %q: %w", s.config.Bucket, err)
	}
	ask := s.createBucket
	if s.speaksV1() {
		ask = s.createDatabase
	}
	if err := ask(ctx); err != nil {
		return fmt.Errorf("create %q: %w", s.config.Bucket, err)
	}
	return nil
}

func (s *server) createDatabase(ctx context.Context) error {
	database, policy, _ := strings.Cut(s.config.Bucket, "/")
	statement := "CREATE DATABASE " + quote(database)
	if policy != "" {
		statement += "; CREATE RETENTION POLICY " + quote(policy) + " ON " + quote(database) + " DURATION INF REPLICATION 1"
	}
	return s.query(ctx, statement)
}

// quote makes an InfluxQL identifier of any name.
func quote(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(name) + `"`
}

// query runs InfluxQL statements and returns the first one's error.
func (s *server) query(ctx context.Context, statements string) error {
	answer, err := s.do(ctx, http.MethodPost, "query", url.Values{"q": {statements}})
	if err != nil {
		return err
	}
	var said struct {
		Error   string
		Results []struct{ Error string }
	}
	if err := json.Unmarshal(answer.body, &said); err != nil {
		return fmt.Errorf("%s: unreadable answer: %w", answer.Status, err)
	}
	if said.Error != "" {
		return errors.New(said.Error)
	}
	for _, result := range said.Results {
		if result.Error != "" {
			return errors.New(result.Error)
		}
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

func (s *server) createBucket(ctx context.Context) error {
	if s.config.Org == "" {
		return errors.New("org: missing; InfluxDB 2 keeps buckets by organization")
	}
	org, err := s.client.OrganizationsAPI().FindOrganizationByName(ctx, s.config.Org)
	if err != nil {
		return fmt.Errorf("find organization %q: %w", s.config.Org, err)
	}
	_, err = s.client.BucketsAPI().CreateBucketWithName(ctx, org, s.config.Bucket)
	if err != nil && strings.Contains(err.Error(), "already exists") {
		return nil
	}
	return err
}

// answered is a whole answer.
type answered struct {
	*http.Response
	body []byte
}

func (s *server) do(ctx context.Context, method, path string, query url.Values) (answered, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	address := strings.TrimSuffix(s.config.URL, "/") + "/" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return answered{}, err
	}
	answer, err := s.transport.Do(r)
	if err != nil {
		return answered{}, err
	}
	body, err := io.ReadAll(answer.Body)
	return answered{answer, body}, errors.Join(err, answer.Body.Close())
}
