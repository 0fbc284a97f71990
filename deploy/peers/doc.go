// Package peers runs the servers that Imdad talks to, for tests and for the demo: a real Mosquitto, InfluxDB 1.8.3,
// Alertmanager and mail server, each a child process on a loopback port.
//
//	Start… of each ─┐   write config     spawn       wait until it answers
//	                ├─► into Dir ──────► child ────► (log line, then a real ──► *Process ─► Stop, Kill
//	server          ┘                    process      request; deadline)
//
// The directory belongs to the caller and outlives the process: starting again with the same Dir and Addr is a restart,
// with whatever the server had saved. A child stands in a process group of its own, so that an interrupt from the
// terminal reaches the parent only, which then stops its peers in the order that it needs; when the parent dies without
// doing so, the kernel kills the child (Linux).
//
// Nothing here is for production, and a missing program is an error that says how to get it.
package peers
