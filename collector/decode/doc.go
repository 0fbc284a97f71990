// Package decode turns MQTT messages into readings. Which profile reads a
// message is decided by its topic; there is one file per payload profile.
//
//	topic ─► source (first filter that matches) ─► profile ─► readings
//	   no source, wrong topic, bad payload ─► *Reject with a reason code
//
// The native profile has a decoder of its own, made for speed. The others are a
// format each: what its topics mean (place) and what the value at a path of the
// payload is (classify), asked once for each topic and path. The reader does
// what is common to them:
//
//	payload ─► walk ─► path ─► field, remembered ─► samples of a group ─► readings
//	                     └ new: the source's registers, else classify, else a name made of it
//
// What a topic means is worked out once and remembered, so the steady state
// costs one map look-up and one pass over the payload. Decoding depends on the
// message alone: clocks, ranges and duplicates are package vet's. The exception is
// Sparkplug B, whose messages mean nothing without the births before them: those
// are remembered, and saved so that they are known after a restart.
package decode
