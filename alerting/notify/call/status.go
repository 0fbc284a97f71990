package call

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// maxWait bounds what a service may ask us to wait: an alarm a day late helps nobody.
const maxWait = time.Hour

// Err judges the reply by its status: nil for a 2xx; for good (notify.ErrPermanent) as Permanent says; worth another try
// otherwise, after the Retry-After of the answer if there is one.
func (r Reply) Err() error {
	switch {
	case r.Status/100 == 2:
		return nil
	case Permanent(r.Status):
		return fmt.Errorf("%w: %w", notify.ErrPermanent, r.status())
	}
	return r.Again()
}

// Again is the error of a reply after which another try is worth while, whatever its status says.
func (r Reply) Again() error {
	if after, ok := r.retryAfter(time.Now()); ok {
		return After(after, r.status())
	}
	return r.status()
}

func (r Reply) status() error { return fmt.Errorf("status %d: %s", r.Status, r.Quote()) }

// Permanent tells whether the notice itself is refused: a 4xx, but not 408, 425 and 429, which ask for patience, nor 401
// and 407, after which another secret will do.
func Permanent(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return false
	}
	return status/100 == 4
}

// After is an error that says to try again after a time, an hour at most.
func After(d time.Duration, err error) error {
	return &notify.Later{After: min(max(d, 0), maxWait), Err: err}
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110, 10.2.3).
func (r Reply) retryAfter(now time.Time) (time.Duration, bool) {
	value := r.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now), true
	}
	return 0, false
}
