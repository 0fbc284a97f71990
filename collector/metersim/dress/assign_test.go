package dress

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// row is a registry of so many plants in a row behind ten gateways.
func row(t *testing.T, plants int) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "x", Ar: "س"}
	f := &zone.File{
		City:        zone.City{ID: "town", Name: name},
		Zones:       []zone.Zone{{ID: "z1", Name: name}},
		Substations: []zone.Substation{{ID: "ss1", Name: name, RatingMVA: 10}},
		Feeders:     []zone.Feeder{{ID: "f1", Name: name, Zone: "z1", From: "ss1", RatingA: 250}},
	}
	for i := range plants {
		id := fmt.Sprintf("p%03d", i)
		f.Plants = append(f.Plants, zone.Plant{
			ID: id, Name: name, Zone: "z1", Feeder: "f1", Sector: zone.Sectors[0], ContractKVA: 500, Requirement: zone.Requirement{PowerKW: 400},
		})
		for _, u := range []meter.Utility{meter.Electricity, meter.Water, meter.Generator} {
			f.Meters = append(f.Meters, zone.Meter{ID: id + "-" + string(u[0]), Zone: "z1", Utility: u, At: id, Gateway: fmt.Sprintf("gw%d", i%10)})
		}
	}
	reg, err := zone.New([]*zone.File{f})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func assigned(t *testing.T, reg *zone.Registry, w Wish) map[string]string {
	t.Helper()
	meters, err := Assign(reg, w)
	if err != nil {
		t.Fatal(err)
	}
	list := make(map[string]string)
	for _, m := range meters {
		list[m.Key()] = m.Profile
	}
	return list
}

// TestAssignDependsOnTheMeterAlone: a larger registry changes nobody's profile,
// another seed does.
func TestAssignDependsOnTheMeterAlone(t *testing.T) {
	t.Parallel()
	small := assigned(t, row(t, 20), Wish{Profiles: []string{Mixed}, Seed: 1})
	large := assigned(t, row(t, 40), Wish{Profiles: []string{Mixed}, Seed: 1})
	other := assigned(t, row(t, 20), Wish{Profiles: []string{Mixed}, Seed: 2})
	changed := 0
	for m, p := range small {
		if large[m] != p {
			t.Errorf("%s speaks %s among few, %s among many", m, p, large[m])
		}
		if other[m] != p {
			changed++
		}
	}
	if changed < len(small)/2 {
		t.Errorf("of %d only %d speak otherwise with another seed", len(small), changed)
	}
}

// TestAssignWish: what goes before chance.
func TestAssignWish(t *testing.T) {
	t.Parallel()
	reg := row(t, 20)
	if all := assigned(t, reg, Wish{}); slices.ContainsFunc(slices.Collect(maps.Values(all)), func(p string) bool { return p != Native }) {
		t.Errorf("no profiles: %v", all)
	}
	for m, p := range assigned(t, reg, Wish{Profiles: []string{"tasmota"}}) {
		if want := map[bool]string{true: "tasmota", false: Native}[strings.Contains(m, "electricity")]; p != want {
			t.Errorf("%s speaks %s, want %s", m, p, want)
		}
	}
	for m, p := range assigned(t, reg, Wish{Profiles: []string{Sparkplug}}) {
		if p != Sparkplug {
			t.Errorf("%s speaks %s behind a node", m, p)
		}
	}
	for m, p := range assigned(t, reg, Wish{Profiles: []string{"dsmr"}, Judged: map[string]bool{"p003": true}}) {
		if strings.Contains(m, "electricity/p003") && p != Native {
			t.Errorf("%s speaks %s, which leaves out too much", m, p)
		}
	}
	got := assigned(t, reg, Wish{
		Profiles: []string{Sparkplug}, Fixed: map[string]string{"p001-e": "shelly"}, Native: map[string]bool{"z1/water/p001-w": true},
	})
	if got["z1/electricity/p001-e"] != "shelly" || got["z1/water/p001-w"] != Native || got["z1/generator/p001-g"] != Sparkplug {
		t.Errorf("%v", got)
	}
	if got := assigned(t, reg, Wish{Nodes: map[string]bool{"gw4": true}}); got["z1/water/p004-w"] != Sparkplug || got["z1/water/p005-w"] != Native {
		t.Errorf("%v", got)
	}
	if _, err := Assign(reg, Wish{Profiles: []string{"shely"}}); err == nil || !strings.Contains(err.Error(), `did you mean "shelly"?`) {
		t.Errorf("%v", err)
	}
}
