// Package meter holds the words every stage shares: a meter's identity, a
// reading, the quality of a reading, and what counts as a legal name. It
// imports the standard library alone.
package meter
