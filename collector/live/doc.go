// Package live holds what is true now: the last value of every register, and
// the balances that follow from them for feeders and zones. It hangs off the
// decoded stream, before delivery, so it never waits for the database.
//
//	readings ─► State ─┬─► Supply   (per zone and feeder) ─► /metrics
//	                   └─► meters   (per register)        ─► /metrics/meters
//
// A meter that has fallen silent is unknown, never zero: it is left out of
// every sum, and the share of meters that were heard stands beside the sum.
package live
