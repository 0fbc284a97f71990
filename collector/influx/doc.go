// Package influx encodes readings as line protocol and carries them from the
// durable log into InfluxDB 1.8 or 2.x, losing none.
//
//	           ┌────────────────────────── Writer ──────────────────────────┐
//	Log.Next ──┼─► worker 1 ┐  gate   ┌─ search ─┐  judge    transport      │
//	           │   worker 2 ├─ open? ─┤ whole,   ├─ error ─ client, gzip, ──┼─► /api/v2/write
//	Log.Done ◄─┼── worker n ┘  shut:  │ halves,  │  class    token          │
//	           │              one    │ lines    │                          │
//	           │              probes └──────────┘                          │
//	           └────────────────────────────────────────────────────────────┘
//
// A worker takes a chunk of encoded lines from the log, sends it with the
// client library's blocking writer and tells the log when every line of it is
// settled: stored, or refused by the database in its own words. Whatever else
// happens (no connection, no answer, an overloaded server, a wrong password, a
// missing database, a limit), the worker keeps its chunk and tries again for
// as long as the process lives; nothing but the log's cursor says that lines
// are done, so a crash costs repeated writes and no lines.
//
// # What the database refuses
//
// InfluxDB answers 400 or 422 when something is wrong with the lines, and the
// servers differ in what they stored by then: 2.x refuses a whole batch with a
// malformed line, but stores the good ones beside a type conflict; 1.8 stores
// the good ones in either case. Writing a line twice changes nothing, so the
// writer does not care: it halves the batch until each line has either been in
// a request that was answered with 204, or has been refused alone. One bad line among
// 5,000 costs about 20 requests more.
//
// # While the database is down
//
// The worker whose request failed first shuts the gate and is the only one
// that tries again, with growing pauses; the others wait before their next
// chunk. So a dead server sees one request at a time, a full batch is at most
// held by each worker, and everything resumes with the first success.
//
// Chunks are settled in any order. Two chunks under way at once may overtake
// each other, so of two different values that a meter sent for one register
// and one time, the later wins only if they are in one chunk or are sent
// further apart than the requests under way.
package influx
