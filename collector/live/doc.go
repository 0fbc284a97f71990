// Package live holds what is true now: the last value of every register, the
// balances that follow from them, and, of what the registry lists, what alerting
// needs to know of the time before. It hangs off the decoded stream, before
// delivery, so it never waits for the database.
//
//	readings ─► State ─┬─► last values ─┬─► Balances (per zone and feeder) ─► /metrics
//	                   │                └─► meters   (per register)        ─► /metrics/meters
//	                   └─► trackers, by object: electric, pipe, burner, tank; facts, by meter
//	                          │
//	  programme, shifts ──────┴─► Snapshot ─► alerting; EachPoint ─► /metrics, measurement supply
//
// A tracker follows one object by the readings of its first meter, in windows
// of event time: what comes out of order counts where it belongs, what is late
// or historical moves nothing. A registry that changes, and a restart (Save,
// Load), find the trackers again by the names of their objects.
//
// A meter that has fallen silent is unknown, never zero: it is left out of
// every sum, and a sum of which too much is unknown is unknown. Dead is what
// its own meter says, or what the silence of all meters that live on it says.
// Supply is short only with evidence: low demand is no shortfall.
package live
