// Package rule is the alert catalogue: it says of every condition, at one
// moment, whether it holds. It is pure: it takes neither clock nor logger, and
// Eval changes nothing. What a condition becomes, with its delays, is package
// alarm's.
//
//	Kinds (the table) ─► Config (what differs, where) ─► Set (a setting an object)
//	snapshot ─► Eval: what is dead ─► sites ─► mains ─► tanks ─► plants ─► zones
//	                                 ─► gateways ─► meters ─► parts ─► custom rules
//
// A finding names the condition that explains it, its cause: a feeder its
// substation, a plant its feeder, a meter its gateway, a shortfall the outage
// behind it. Causes are never circular. Between the thresholds a condition is
// Held, and what nobody measured is Unknown, never clear.
//
// Eval is linear in the number of objects, and allocates for what is raised
// alone.
package rule
