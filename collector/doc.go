// Package collector joins the stages that carry a reading from a meter to the
// database:
//
//	meter ─MQTT─► mqtt ─► decode ─► vet ─┬─► spool (fsync) ─► PUBACK
//	             session   payload   data │      └─► influx: batches, retry, bisect ─► InfluxDB
//	             in-order  profiles  quality              └─ refused lines ─► quarantine
//	             acks      │ fail       │
//	                       └─► quarantine (raw message + reason)
//	                                     └─► live: last value per register, balances, windows ─┬─► /metrics
//	                                                                                           ├─► supply, a point a minute ─► spool
//	                                                                                           └─► snapshot ─► alerting
//
// Five goroutines do it, each with one job:
//
//	intake   mqtt.Client.Run      keeps the sessions, queues messages (bounded by bytes)
//	ingest   Collector.ingest     queue → decode → vet → the batch that is filling
//	commit   Collector.commit     full or not, the batch → spool → PUBACK, while the next one fills
//	deliver  influx.Writer.Run    spool → InfluxDB, at its own pace
//	derive   Collector.derive     once a minute: live → spool, and live → live.running (at the end, live.state)
//
// A message is acknowledged only after its batch is on disk; nothing else
// holds it up. A batch that cannot be stored is tried again until it can: what
// vetting has remembered of it must not be forgotten, or its redelivery would
// pass for a duplicate of something that was never stored.
package collector
