// Package alarm turns findings into alarms: it keeps each through the states of
// ISA-18.2, waits out delays, hides what a cause explains, and writes every
// transition into a journal before anybody hears of it.
//
//	findings ─► machine ── changes ─► store ── committed ─► machine, watchers
//	              ▲  condition.go: on-delay, off-delay, unknown    │
//	              │  machine.go: states, covers, severity          ▼
//	operators ────┘  round.go: causes, order, numbers        alarms.db ─► Reader
//
// The machine is pure: it takes time as an argument and computes what would
// change. Book commits that in one SQLite transaction, journal lines, states and
// timers together, and only then lets it be seen. A step in which nothing
// changes touches no disk.
//
// # Covers
//
// An alarm that is shelved, suppressed or out of service is covered. Its
// condition is followed, but unseen: it does not raise, step, return or remind
// in the journal. When the cover goes, what stands is raised as a new
// occurrence, unless it stood before the cover came.
//
// # Restart
//
// On-delays go on by the meters' time. Off-delays do not: nobody saw that the
// condition stayed clear while the process was down. For this the journal's
// file remembers, every few seconds while an off-delay runs, until when it was
// seen.
package alarm
