// Package mqtt publishes alarms over MQTT for programs: imdad/alarm/v1/{zone}/{id}, retained, QoS 1, as JSON while the
// alarm is shown, and cleared (an empty retained message) when it is not. The retained messages under imdad/alarm/v1/#
// are at any time the alarms that stand; one that lies in no zone (of a city, a substation) has its city in the place of
// the zone.
//
// The broker keeps retained messages, but may lose them. After every new connection the channel therefore publishes all
// that stands once more.
package mqtt
