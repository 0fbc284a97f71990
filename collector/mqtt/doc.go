// Package mqtt takes messages from MQTT brokers: persistent sessions, one bounded queue, acknowledgements in order and
// only for what is stored.
//
//	broker ──► transport ──► paho ──► session ──► queue ──► Receive
//	           reads ahead   packets  handler:     bounded     │ decode, vet, spool (fsync)
//	           gathers       keep-    never        by bytes    ▼
//	broker ◄── writes ◄──────alive────blocks────────────────  Done: PUBACK, in order
//
// A session is a client id at the broker; Config.Connections of them share the topic filters, each filter belonging to
// one session; where filters of different sessions overlap, a message comes by each. An origin is one connection of a
// session, from its opening to its loss. A message can be acknowledged only by its origin: when that is lost, its queued
// messages are removed and counted as abandoned, and the late acknowledgements of those already taken do nothing. The
// broker sends both kinds again.
//
// # Transport
//
// paho reads a packet in three or more reads and writes each acknowledgement by itself. The transport is a net.Conn
// below paho that reads ahead and writes what has gathered; acknowledgements go straight into its buffer instead of
// through paho's channels, which also keeps a stuck socket from blocking whoever acknowledges. It reads the CONNACK, as
// paho does not say after a reconnect whether the session was resumed. Closing, it waits for the broker to close as well:
// a reset would make the broker drop acknowledgements it has not read. OpenConnection offers it to other paho clients.
//
// BenchmarkIntake, two cores, Mosquitto's window of 20, CPU time a message: paho alone 14.6 µs, paho on the transport 5.1,
// this package 3.4, of which 0.05 are the queue and the acknowledgement.
//
// # Presence
//
// The first session may say of the client that it is online, retained, with the opposite as the will of the same
// connection (presence.go). paho's will is the same for all connections of a client, and what it is given to publish
// goes over whatever connection comes next; so the will is put into the CONNECT, and messages are written, below paho.
// Publish works the same way, at QoS 0, with or without a presence.
//
// # No room
//
// The queue holds Config.QueueMiB at most (one message more, and one read buffer of 64 KiB a connection; paho allocates
// whatever packet arrives, up to 256 MB: set the broker's message_size_limit). When it is three quarters full the
// transports stop reading for up to 4 s, so that a short stall of the consumer only slows the brokers down. When it is
// full, QoS 0 messages are dropped and counted, and a connection that brings a QoS 1 message is closed without
// acknowledging it. It is made again when half of the queue is free and the spool accepts.
//
// # Sessions of earlier configurations
//
// A file remembers each client id with its brokers and filters. At start new filters are subscribed first. Then filters
// that moved to another session, or are configured no more, are unsubscribed; and sessions that no connection uses any
// more (the number of connections or the client id has changed; one connection is ID, several are ID-0, ID-1, …) are
// connected, unsubscribed, drained through the same queue, and ended, provided that all they had was acknowledged;
// otherwise the next start goes on with it. Meanwhile a message may come twice. A client id keeps its session when only
// the broker addresses change: a new address is taken for the same broker.
//
// # Ledger
//
// At every moment, results being what the caller has counted before Done:
//
//	received = base + results + dropped + in flight + abandoned
package mqtt
