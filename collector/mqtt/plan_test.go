package mqtt

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func (p plan) String() string {
	var all []string
	for _, a := range p.sessions {
		all = append(all, a.clientID+"="+strings.Join(a.filters, ",")+" -"+strings.Join(a.stale, ","))
	}
	for _, r := range p.surplus {
		all = append(all, "surplus "+r.ClientID)
	}
	return strings.Join(all, "; ")
}

func TestMakePlan(t *testing.T) {
	t.Parallel()
	had := func(id string, filters ...string) remembered { return remembered{ClientID: id, Filters: filters} }
	for _, c := range []struct {
		name    string
		ids     []string
		filters []string
		before  []remembered
		want    string
	}{
		{"first start", []string{"i"}, []string{"b", "a"}, nil, "i=a,b -"},
		{"the same filter twice", []string{"i"}, []string{"a", "a"}, nil, "i=a -"},
		{"unchanged", []string{"i"}, []string{"a", "b"}, []remembered{had("i", "a", "b")}, "i=a,b -"},
		{"one removed", []string{"i"}, []string{"a"}, []remembered{had("i", "a", "b")}, "i=a -b"},
		{"shared now", []string{"i"}, []string{"$share/g/a"}, []remembered{had("i", "a")}, "i=$share/g/a -a"},
		{"another client id", []string{"j"}, []string{"a"}, []remembered{had("i", "a")}, "j=a -; surplus i"},
		{"spread", []string{"i-0", "i-1"}, []string{"a", "b", "c"}, nil, "i-0=a,b -; i-1=c -"},
		{"filters stay", []string{"i-0", "i-1"}, []string{"a", "b", "c"},
			[]remembered{had("i-0", "b", "c"), had("i-1", "a")}, "i-0=b,c -; i-1=a -"},
		{"filters move to be even", []string{"i-0", "i-1"}, []string{"a", "b", "c", "d"},
			[]remembered{had("i-0", "a", "b", "c")}, "i-0=a,b -c; i-1=c,d -"},
		{"more connections than filters", []string{"i-0", "i-1"}, []string{"a"},
			[]remembered{had("i-1", "b")}, "i-0=a -; surplus i-1"},
		{"fewer connections", []string{"i"}, []string{"a", "b"},
			[]remembered{had("i-0", "a"), had("i-1", "b")}, "i=a,b -; surplus i-0; surplus i-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := makePlan(c.ids, c.filters, c.before).String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPlanCoversEachFilterOnceAndEvenly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfDistinct(rapid.StringMatching("[a-h]"), rapid.ID[string])
		ids := clientIDs("i", rapid.IntRange(1, 5).Draw(t, "connections"))
		filters := some.Draw(t, "filters")
		var before []remembered
		for _, id := range []string{"i", "i-0", "i-1", "i-2", "x"} {
			before = append(before, remembered{ClientID: id, Filters: some.Draw(t, id)})
		}
		p := makePlan(ids, filters, before)
		var covered []string
		for _, a := range p.sessions {
			covered = append(covered, a.filters...)
			if n := len(a.filters); n > (len(filters)+len(ids)-1)/len(ids) {
				t.Fatalf("%d of %d filters on one of %d sessions", n, len(filters), len(ids))
			}
			if slices.ContainsFunc(a.stale, func(f string) bool { return slices.Contains(a.filters, f) }) {
				t.Fatalf("a filter is both wanted and stale: %s", p)
			}
		}
		slices.Sort(covered)
		slices.Sort(filters)
		if !slices.Equal(covered, filters) {
			t.Fatalf("covered %v of %v", covered, filters)
		}
		for _, r := range before {
			used := slices.ContainsFunc(p.sessions, func(a assignment) bool { return a.clientID == r.ClientID })
			surplus := slices.ContainsFunc(p.surplus, func(s remembered) bool { return s.ClientID == r.ClientID })
			if used == surplus {
				t.Fatalf("%s is used: %v, surplus: %v", r.ClientID, used, surplus)
			}
		}
	})
}

func TestStateSurvives(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sessions.json")
	st, err := loadState(path)
	if err != nil {
		t.Fatal(err)
	}
	a := remembered{"a", []string{"tcp://x:1"}, []string{"f/#", "$share/g/h"}, true}
	b := remembered{"b", []string{"tcp://x:1", "ssl://y:2"}, []string{"i"}, false}
	if err := errors.Join(
		st.remember(remembered{ClientID: "a"}), st.establish("a"),
		st.remember(b, remembered{ClientID: "a", Brokers: a.Brokers, Filters: a.Filters}),
	); err != nil {
		t.Fatal(err)
	}
	if err := st.remember(remembered{ClientID: "c"}); err != nil {
		t.Fatal(err)
	}
	if err := st.forget("c"); err != nil {
		t.Fatal(err)
	}
	again, err := loadState(path)
	if err != nil {
		t.Fatal(err)
	}
	same := func(x, y remembered) bool {
		return x.ClientID == y.ClientID && x.Established == y.Established && slices.Equal(x.Brokers, y.Brokers) && slices.Equal(x.Filters, y.Filters)
	}
	if got := again.all(); !slices.EqualFunc(got, []remembered{a, b}, same) {
		t.Errorf("got %v", got)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("files %v, %v", entries, err)
	}
}

func TestStateThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	st, err := loadState(filepath.Join(t.TempDir(), "missing", "sessions.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.remember(remembered{ClientID: "a"}); err == nil {
		t.Error("no error")
	}
}
