// Package metersim simulates the meters of a registry: it computes what the
// plants, networks and tanks of a city do, and publishes what each meter would
// show to a real MQTT broker, natively or in the format of a device as one can
// buy it (package dress). It keeps the truth: which readings it made and which
// of them the broker acknowledged.
//
//	Registry ─ Scale ─► model   plants ask, feeders and mains add up,
//	                      │     voltage and pressure come back
//	                      ▼
//	         schedule ─► probe ─► message ─► dress ─► link ─► wire ─► broker
//	         who, when    meter's   ts, seq,  none if  │  ▲            │
//	                      registers values    native   │  └── PUBACK ◄─┘
//	                                                   ▼
//	                              truth: each reading once, acked or not
//
// A scenario changes readings before they are dressed. The truth of a dressed
// reading holds what its messages say, rounded as the device rounds; a reading
// of several messages is acknowledged when all of them are. Where they carry no
// time, the line says received: true, and its ts is when they were made. A
// Sparkplug node has a connection of its own, whose will is its death; births,
// deaths and what a bridge says of itself are in no truth.
//
// Everything but the network is a function of the registry, the options and the
// seed: two fleets with the same of each publish the same values at the same
// times of their own clock. That clock runs Speed times as fast as the real
// one; messages that the broker is slow to take leave later, with the time they
// were measured at, as from a meter that buffers.
package metersim
