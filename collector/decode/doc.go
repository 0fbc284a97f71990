// Package decode turns MQTT messages into readings. Which profile reads a
// message is decided by its topic; there is one file per payload profile.
//
//	topic ─► source (first filter that matches) ─► profile ─► readings
//	   no source, wrong topic, bad payload ─► *Reject with a reason code
//
// What a topic means is worked out once and remembered, so the steady state
// costs one map look-up and one pass over the payload. Decoding depends on the
// message alone: clocks, ranges and duplicates are package vet's.
package decode
