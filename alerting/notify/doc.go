// Package notify tells the right person once, in their language: it reads the
// journal of alarms, decides who is told what and when, keeps the notices in an
// outbox until they have left, and tries again where a channel fails.
//
//	journal ─► planner.go   what an alarm's transition means to whom
//	           remind.go    what time brings: reminders, escalation
//	           pace.go      groups, digests, quiet hours: how often one is disturbed
//	              ▼
//	           store.go     outbox.db: cursor, threads, inboxes and rows in one transaction
//	              ▼
//	           dispatch.go  one worker a channel: order, retries, the next way
//	              ▼
//	           email, telegram, sms, webhook, mqtt, alertmanager: one package each
//
// # Who is told
//
// A route, or the catalogue where there are none, names roles; a person of that
// role is told of what lies in his zones, cities or plants. An alarm that
// returns before any of its notices was tried makes none at all; one that
// returns later, also while a channel is dead, makes one Returned notice for
// whom a notice may have reached, in place of what still waits. Alarms that are
// shelved, suppressed or out of service make none.
//
// # How fast
//
// The first notice of a group leaves at once; what follows it within the
// route's group_wait gathers into the next one. That an alarm has returned can
// wait so long for what else has.
//
// # Crashes
//
// A row is marked on disk before an attempt and after it. After a crash only
// the rows that were marked in between go out again, with Repeated set.
//
// # Bounds
//
// Pace bounds the notices of a person, maxQueue those that wait for a channel.
// Finished rows are deleted after Config.Keep.
package notify
