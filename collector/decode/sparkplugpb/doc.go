// Package sparkplugpb holds the types of Sparkplug B payloads. They are compiled from sparkplug.proto by `make proto`;
// the collector sends commands with them, the simulated meters and tests everything.
package sparkplugpb
