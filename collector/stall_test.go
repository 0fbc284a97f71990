package collector

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	_ "modernc.org/sqlite" // the driver, to hold the lock with
)

// A commit that does not come to an end must be said, and must not hide the
// counters from whoever looks for the cause.
func TestAStalledDiskIsSeen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	s.publish(10)
	s.eventually("ten are spooled", func() bool {
		l, _, err := s.collector.spool.Snapshot(t.Context())
		return err == nil && l.ReadingsSpooled == 10
	})
	metrics := &ledgerCollector{spool: s.collector.spool}
	if n := testutil.CollectAndCount(metrics, "imdad_messages_total"); n != 5 {
		t.Fatalf("%d results of messages before the stall", n)
	}

	release := lock(t, filepath.Join(s.dir, "spool.db"))
	s.publish(10)
	s.eventually("the stall is said", func() bool {
		return strings.Contains(s.collector.Status().Refusing, "under way")
	})
	began := time.Now()
	if n := testutil.CollectAndCount(metrics, "imdad_messages_total"); n != 5 {
		t.Errorf("%d results of messages during the stall", n)
	}
	if took := time.Since(began); took > 2*snapshotPatience {
		t.Errorf("the scrape took %v", took)
	}

	release()
	s.everythingArrives(startSink(t, s.databaseAddr))
	s.eventually("the spool accepts", func() bool { return s.collector.Status().Refusing == "" })
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// lock takes the write lock of the file, as another process could.
func lock(t *testing.T, file string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
