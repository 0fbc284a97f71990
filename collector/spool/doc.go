// Package spool is the collector's promise that nothing is lost: a durable log
// between the broker and the database, with the quarantine and the ledger beside
// it. What Append has returned from survives a kill, a power cut, a database
// that is away for days and a disk that is full.
//
//	committer                                             influx writers
//	    │ Append(Batch)                                    Next ▲   │ Done
//	    ▼                                                       │   ▼
//	┌─ writer ── one transaction, one fsync ─┐  tail in     ┌─ queue ──────────┐
//	│ batch row · ledger · quarantine · state├─ memory ────►│ next, handed out │
//	│ + what Done has settled: rows deleted, │◄── settled ──┤ unbroken prefix  │
//	│   cursor, fingerprints, refused lines  │              └────────▲─────────┘
//	└──────────────────┬─────────────────────┘                       │ backlog
//	                   ▼                                             │
//	     spool.db  spool.db-wal (SQLite) ──── reader connection ─────┘
//	     spool.db.reserve   disk space to give up when the disk is full
//	     spool.db.lock      one service a directory
//	     spool.db.closed    ledger and cursor, while nothing runs
//
// # Durability
//
// The file is an SQLite database in WAL mode with synchronous=FULL: one fsync of
// the log a commit. An error of Append means that nothing of the batch is
// stored. There is no timer: while one fsync runs, the caller gathers the next
// batch. Done is not a commit of its own; it joins the next Append, or is
// committed within moments by a waiting Next, by Snapshot or by Close. After a
// crash in between, the chunk is handed out once more: InfluxDB overwrites the
// points with themselves, and they are counted once.
//
// # State
//
// A batch may carry small values under keys, such as the births that give later
// messages their meaning. They are stored, replaced or deleted in the batch's own
// transaction, so that after a crash they fit the readings that are stored;
// States reads them back. They have no bound of their own: their pages count
// against the cap of the undelivered batches, and whoever remembers forgets.
//
// # Checks
//
// SQLite has no page checksums, so each row carries a CRC-32C. A row that does
// not match costs its batch: it is moved to the table damaged, its lines are
// counted as lost, the stream goes on. At Open the rows are counted against the
// ledger. A file that SQLite cannot read, that does not add up, or whose log is
// broken before its end, is read page by page (page.go, image.go), what matches
// its checksum goes to a new file, and the old one is kept as
// spool.db.damaged-TIME. A state that does not match is left out. The same
// happens when a running service meets such damage. Of a file that was destroyed
// while nothing ran, spool.db.closed still tells how much was in it. What no one
// can see is a log whose very last transaction is broken: it looks like one that
// was never finished.
//
// # Full disks
//
// See room.go. In short: the file may only grow while there is room for it
// beside the reserve; after that it lives on its free pages; what did not fit is
// refused before anything is written. When SQLite runs into the wall all the
// same, the reserve is given up, because after that error not even a delete goes
// through, and is made again as soon as there is space. Append is accepted again
// with a margin.
//
// # Concurrency
//
// One mutex, held during fsync, guards the writing connection; another the
// reading one; a third the queue in memory, never held during input or output.
// Done and Accepting do not wait for the disk, Next does only where it has to
// read a backlog. There is no goroutine of its own. Other processes (Attach) may
// write at the same time: counters are added to in SQL, ids are taken inside the
// transaction, and their rows are noticed within pollEvery.
//
// Memory: 4 MiB of newest batches, 4 + 2 MiB of SQLite's page cache, what is
// handed out, and 32 bytes or so for each fingerprinted reading under way; it
// does not depend on the backlog.
package spool
