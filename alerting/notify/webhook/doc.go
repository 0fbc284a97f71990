// Package webhook posts every change of an alarm as JSON to an address of the operator's.
//
// A request says
//
//	POST /path HTTP/1.1
//	Content-Type: application/json
//	Idempotency-Key: 1763895600123-42      the same at every attempt for one change
//	Imdad-Timestamp: 1763895601            seconds since the epoch, when this attempt was signed
//	Imdad-Signature: v1=5d41…              hexadecimal digits
//
// and the body is a Payload. The signature is HMAC-SHA256, keyed with the secret that both sides know, over the timestamp
// as it stands in the header, a full stop, and the body as it came, byte for byte. A receiver computes it anew, compares
// in constant time, and refuses a timestamp that is more than five minutes from its own clock, so that a recorded request
// cannot be played again later; Verify does all of this. Within the five minutes, and when an answer was lost and the
// same change comes again, the Idempotency-Key tells that it is known.
//
// Any 2xx takes the change. 408, 425, 429 and 401 ask for patience, with Retry-After if they like, as do 3xx (redirects
// are not followed), 5xx and silence; any other 4xx refuses this change for good.
package webhook
