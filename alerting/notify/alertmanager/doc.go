// Package alertmanager tells Alertmanagers of the alarms that stand, over their API v2, the way Prometheus does: every
// standing alarm again each Resend, with an end that lies four times as far ahead, so that it ends by itself if this
// service falls silent; and an alarm that is over once, with its end.
//
// Every instance is told, each for itself: Alertmanagers of a cluster settle among themselves who notifies. A notice has
// arrived when one instance took it; another that was away learns what stands at the next resend, and what ended by the
// end that it was told before.
//
// Alertmanager's clock is the real one, and so is this package's, also when the alarms play in simulated time.
package alertmanager
