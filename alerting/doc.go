// Package alerting joins the parts that turn the state of the supply into
// alarms, and alarms into notices:
//
//	live.State ─► snapshot ─► forecast ─► rule ─► findings
//	                                                 ▼
//	  people ─► console, CLI, links, bots ─► alarm.Book ─► journal ─┬─► notify ─► channels ─► people
//	                                                                └─► recorder ─► InfluxDB
//
// The joining file, manager.go, runs the cycle: a snapshot, an evaluation and
// a step of the alarm book, several times a second. Rules and forecasts are
// pure; the book and the outbox are SQLite files, so that a crash costs neither
// an alarm nor a notice. Nothing here waits for the database, and nothing but
// the MQTT channel knows MQTT.
package alerting
