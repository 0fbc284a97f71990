package configs_test

import (
	"errors"
	"testing"

	"github.com/imdad-telemetry/imdad/configs"
)

// FuzzImport holds that whatever is refused is refused for mistakes of its own.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		importList,
		"\ufeffid;zone;utility;at;interval_s\r\nf-e2;z;electricity;f;60\r\n",
		"id\tzone\tutility\n\nf-e1\tz\telectricity\n",
		"title\nid,zone,utility\n",
		"id,zone,utility,\"at\n\"\nf-e1,z,\"electricity\",f,,\n",
		"id,zone,utility,at,replaced_at,final\nf-e1,z,electricity,f,2026-11-23 17:00,energy_import_kwh=5\n",
	} {
		f.Add([]byte(seed))
	}
	city, _ := importing(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := configs.CSVTable("new.csv", text)
		if err == nil {
			_, err = configs.PlanImport([]string{city}, table, "")
		}
		var ms configs.Mistakes
		if err != nil && (!errors.As(err, &ms) || len(ms) == 0) {
			t.Errorf("%v", err)
		}
		for _, m := range ms {
			if m.File != "new.csv" || m.Line < 0 {
				t.Errorf("%v is not the import's", m)
			}
		}
	})
}
