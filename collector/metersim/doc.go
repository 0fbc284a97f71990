// Package metersim simulates the meters of a registry: it computes what the
// plants, networks and tanks of a city do, and publishes what each meter would
// show as native messages to a real MQTT broker. It keeps the truth: which
// messages it made and which of them the broker acknowledged.
//
//	Registry ─ Scale ─► model   plants ask, feeders and mains add up,
//	                      │     voltage and pressure come back
//	                      ▼
//	         schedule ─► probe ─► message ─► link ─► wire ─► broker
//	         who, when    meter's   ts, seq,   │  ▲            │
//	                      registers values     │  └── PUBACK ◄─┘
//	                                           ▼
//	                                         truth: each message once, acked or not
//
// Everything but the network is a function of the registry, the options and the
// seed: two fleets with the same of each publish the same values at the same
// times of their own clock. That clock runs Speed times as fast as the real
// one; messages that the broker is slow to take leave later, with the time they
// were measured at, as from a meter that buffers.
package metersim
