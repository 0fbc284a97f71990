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
// Consumption over the next u litres is b·u, with variance ν²·u + var(b)·u²: noise
// adds up as in a random walk, ν² litres a litre, and the level b is not known
// for sure. The usable volume V is used up when V = b·u ± t·√(that), a quadratic
// equation in u whose roots are p10 and p90; p50 is V/b. Going back from u to
// hours by the profile puts the stall into a shift.
//
// The slope's own uncertainty is not enough: Sen's interval takes errors to be
// independent, but what was used too much stays used. ν² says how much. It is
// weighed together from what is configured, from the daily draws of the last
// week, less what the week's shape explains, and from the present history.
// b is weighed together from the usual, 1, and from Theil and Sen's slope.
//
// # Backtest
//
// BenchmarkBacktest prints the coverage of p10–p90 over simulated months, on
// seeds that the defaults were not chosen with: 74 to 80 % in the mean, from
// 71 % with much noise to 90 % with little, for plants that work around the
// clock, by day, and without weekends. Where noise has a memory of most of a
// day (φ = 0.96 a quarter of an hour) it falls to 60–70 %: 16 h of history and a
// week's daily draws do not tell. Where no profile is learned yet, declared
// shifts give intervals twice as wide that cover 80–87 %.
package forecast
