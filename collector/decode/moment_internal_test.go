package decode

import (
	"testing"
	"time"
)

// parseISO must agree with package time wherever both read a text.
func TestParseISO(t *testing.T) {
	t.Parallel()
	damascus, err := time.LoadLocation("Asia/Damascus")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"2026-11-23T08:15:00Z", "2026-11-23T08:15:00.123456789Z", "2026-11-23T08:15:00.1+03:00", "2026-11-23T08:15:00-11:30",
		"1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T00:00:00Z", "1111-11-11T11:11:11Z",
	} {
		want, err := time.Parse(time.RFC3339, text)
		if got, ok := parseISO(text, damascus); err != nil || !ok || got != want.UnixMilli() {
			t.Errorf("%s: %d, %v; want %d (%v)", text, got, ok, want.UnixMilli(), err)
		}
	}
	for _, text := range []string{"2021-07-01T12:00:00", "2026-07-01 12:00:00", "2021-01-01T12:00:00.5"} {
		want, err := time.ParseInLocation("2006-01-02T15:04:05", text[:10]+"T"+text[11:], damascus)
		if got, ok := parseISO(text, damascus); err != nil || !ok || got != want.UnixMilli() {
			t.Errorf("%s: %d, %v; want %d (%v)", text, got, ok, want.UnixMilli(), err)
		}
	}
	for _, text := range []string{
		"", "2026-11-23", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-23T24:00:00Z",
		"2026-11-23T08:60:00Z", "2026-11-23T08:15:60Z", "2026-11-23T08:15:00+3", "2026-11-23T08:15:00.Z", "2026-11-23T08:15:00 UTC",
		"2026-11-23T08:15:0xZ", "20a6-11-23T08:15:00Z", "2026/11/23T08:15:00Z", "2026-11-23T08:15:00+24:00",
	} {
		if got, ok := parseISO(text, damascus); ok {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}
