package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/configs"
)

// TestShippedPeople loads the manual of people: it fits the shipped city, and
// the defaults that it shows are those of the program.
func TestShippedPeople(t *testing.T) {
	t.Parallel()
	c := notify.DefaultConfig()
	if _, err := configs.Load("../../configs/people.yaml", &c); err != nil {
		t.Fatal(err)
	}
	reg, err := configs.ShippedRegistry("sheikh-najjar")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(reg, []string{"telegram", "sms", "email"}); err != nil {
		t.Error(err)
	}
	if len(c.People) < 5 || len(c.Escalations) != 2 {
		t.Errorf("%d people, %d escalations", len(c.People), len(c.Escalations))
	}
	c.People, c.Escalations, c.Routes = nil, nil, nil
	if want := notify.DefaultConfig(); !reflect.DeepEqual(c, want) {
		t.Errorf("the file shows %+v, the defaults are %+v", c, want)
	}
}

// TestPeopleMistakes loads a file of people with mistakes: each has its place.
func TestPeopleMistakes(t *testing.T) {
	t.Parallel()
	c := notify.DefaultConfig()
	_, err := configs.Load("testdata/people-wrong.yaml", &c)
	if err == nil {
		t.Fatal("accepted")
	}
	const at = "testdata/people-wrong.yaml:"
	want := []string{
		at + `2:5: people[0].id: "a b" is no id; use 1 to 64 letters, digits and . _ : -, beginning with a letter or digit`,
		at + `6:5: people[0].role: there is no role "zonemanager"; did you mean "zone_manager"?`,
		at + `8:16: people[0].contacts.sms: missing; give the address`,
		at + `9:19: people[0].quiet.from: "25:00" is no time of day; write 07:30`,
		at + `11:5: escalations[0].after: 0s is out of range; use 1s to 168h0m0s`,
		at + `11:20: escalations[0].to[0]: there is no person "walid"; use a b`,
		at + `13:15: routes[0].roles: missing; say whom the route reaches`,
		at + `13:34: routes[0].kinds[0]: "[" is no pattern of kinds; write elec.outage, elec.* or *`,
		at + `13:51: routes[0].group_by[0]: there is no key "zome"; did you mean "zone"?`,
		at + `13:58: routes[0].reach: there is no way "some"; use first, all`,
	}
	if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, want) {
		t.Errorf("mistakes:\n%v\nwant:\n%v", err, strings.Join(want, "\n"))
	}
}
