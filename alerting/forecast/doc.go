// Package forecast says when a plant will stop for want of water or fuel. It is
// pure: a forecast follows from the snapshot alone.
//
//	tank history ─► usual consumption as the clock ─► Theil–Sen ─► level b ┐
//	profile, or shifts and declared needs ──────────────────────► prior 1 ┴► quantiles ─► hours
//
// # The clock of usual consumption
//
// A plant that works by day empties its tank by day. A straight line through
// the afternoon would empty it at night. So time is measured by u, the litres
// that the plant would usually have used: the integral of its hour-of-week
// profile. Against u even a day shift is a straight line, of slope 1 if the
// plant does as usual. Where there is no profile, the declared shifts give its
// shape, and where there are none, u runs evenly.
//
// # The model
//
// Consumption over the next u litres is b·u, with variance ν²·d·u + var(b)·u²:
// the noise of a day, ν, as a share of a usual day's litres d, adds up as in a
// random walk, and the level b is not known for sure. The usable volume V is
// used up when V = b·u ± z·√(that), a quadratic equation in u whose roots are
// p10 and p90; p50 is V/b. Going back from u to hours by the profile puts the
// stall into a shift.
//
// The slope's own uncertainty is not enough: Sen's interval takes errors to be
// independent, but what was used too much stays used. ν says how much.
package forecast
