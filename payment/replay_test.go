package payment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/service"
)

// at returns an event of some minutes after noon.
func at(minutes int, id, kind string) string {
	return fmt.Sprintf(`{"id": %q, "type": %q, "created": %d, "data": {"object": {"secret": "of a customer"}}}`,
		id, kind, noon.Add(time.Duration(minutes)*time.Minute).Unix())
}

// filled returns a gateway with five events, of which evt_3 is dead. Its
// subscriber "fails" fails at evt_3 until it is told otherwise.
func filled(t *testing.T) (in *inbox, calls map[string]int, works *bool) {
	t.Helper()
	in = newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Attempts, o.Workers = 2, 1 })
	calls, works = map[string]int{}, new(bool)
	in.subscribe("fails", func(e payment.StripeWebhookReceived) error {
		calls["fails "+e.ID]++
		if e.ID == "evt_3" && !*works {
			return errors.New("no")
		}
		return nil
	})
	in.subscribe("works", func(e payment.StripeWebhookReceived) error { calls["works "+e.ID]++; return nil })
	in.start()
	for i, kind := range []string{"invoice.paid", "invoice.payment_failed", "invoicez.paid", "charge.succeeded", "invoice.paid"} {
		in.deliver(at(i, fmt.Sprintf("evt_%d", i+1), kind)).received()
		in.await()
	}
	in.clock.add(time.Hour)
	in.pay.LookNow()
	in.want("evt_3", payment.StateDead)
	clear(calls)
	return in, calls, works
}

func TestReplayGivesADeadEventAllItsAttempts(t *testing.T) {
	t.Parallel()
	in, calls, works := filled(t)
	report, err := in.pay.Replay(t.Context(), payment.ReplayFilter{EventFilter: payment.EventFilter{States: []payment.State{payment.StateDead}}})
	if err != nil || !slices.Equal(report.Queued, []string{"evt_3"}) || len(report.Busy) > 0 || report.More {
		t.Fatalf("%+v, %v", report, err)
	}
	in.want("evt_3", payment.StatePending) // it fails, and is not dead at once
	if r := in.record("evt_3"); r.Attempts != 1 || r.Finished != nil {
		t.Errorf("the record is %+v", r)
	}
	*works = true
	in.clock.add(time.Hour)
	in.pay.LookNow()
	in.want("evt_3", payment.StateDone)
	if diff := cmp.Diff(map[string]int{"fails evt_3": 2}, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestReplayReachesThoseThatAreAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		filter payment.ReplayFilter
		want   map[string]int
	}{
		{"only those that are not done", payment.ReplayFilter{}, map[string]int{"later evt_1": 1}},
		{"all again", payment.ReplayFilter{Again: true}, map[string]int{"fails evt_1": 1, "works evt_1": 1, "later evt_1": 1}},
		{"one of them again", payment.ReplayFilter{Subscribers: []string{"works"}}, map[string]int{"works evt_1": 1, "later evt_1": 1}},
		{"none in a dry run", payment.ReplayFilter{Again: true, DryRun: true}, map[string]int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, calls, _ := filled(t)
			in.subscribe("later", func(e payment.StripeWebhookReceived) error { calls["later "+e.ID]++; return nil })
			c.filter.IDs = []string{"evt_1"}
			report, err := in.pay.Replay(t.Context(), c.filter)
			if err != nil || !slices.Equal(report.Queued, []string{"evt_1"}) || report.DryRun != c.filter.DryRun {
				t.Fatalf("%+v, %v", report, err)
			}
			if !c.filter.DryRun {
				in.want("evt_1", payment.StateDone)
			}
			in.stop(t.Context())
			if diff := cmp.Diff(c.want, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplayLeavesAloneWhatIsInHand(t *testing.T) {
	t.Parallel()
	in, _, _ := filled(t)
	in.lease("evt_1", 1, in.clock.Now().Add(time.Second))
	report, err := in.pay.Replay(t.Context(), payment.ReplayFilter{EventFilter: payment.EventFilter{IDs: []string{"evt_1", "evt_2"}}})
	if err != nil || !slices.Equal(report.Queued, []string{"evt_2"}) || !slices.Equal(report.Busy, []string{"evt_1"}) {
		t.Errorf("%+v, %v", report, err)
	}
	if r := in.record("evt_1"); r.State != payment.StateLeased {
		t.Errorf("the record is %+v", r)
	}
}

func TestReplayTellsWhatWasIgnored(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	var told int
	in.subscribe("count", func(e payment.StripeWebhookReceived) error { told++; return nil })
	in.start()
	in.deliver(strings.Replace(event("evt_1", "charge.succeeded"), "false", "true", 1)).received()
	if r := in.record("evt_1"); r.State != payment.StateIgnored || r.Attempts != 0 {
		t.Fatalf("the record is %+v", r)
	}
	report, err := in.pay.Replay(t.Context(), payment.ReplayFilter{EventFilter: payment.EventFilter{States: []payment.State{payment.StateIgnored}}})
	if err != nil || !slices.Equal(report.Queued, []string{"evt_1"}) {
		t.Fatalf("%+v, %v", report, err)
	}
	in.want("evt_1", payment.StateDone)
	if r := in.record("evt_1"); told != 1 || r.Attempts != 1 {
		t.Errorf("told %d times; the record is %+v", told, r)
	}
}

func TestTypesOfTheSecondVersionAreFound(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	const kind = "v2.core.account[configuration.recipient].updated"
	in.deliver(at(0, "evt_1", kind)).received()
	in.deliver(at(1, "evt_2", "v2.core.account.updated")).received()
	for _, types := range [][]string{{kind}, {"v2.core.account[configuration.*"}} {
		events, err := in.pay.Events(t.Context(), payment.EventFilter{Types: types}, payment.Page{})
		if err != nil || len(events) != 1 || events[0].ID != "evt_1" {
			t.Errorf("%v: %v, %v", types, events, err)
		}
	}
}

func TestReplayIsBounded(t *testing.T) {
	t.Parallel()
	in, _, _ := filled(t)
	for name, f := range map[string]payment.ReplayFilter{
		"all events":      {},
		"all again":       {Again: true},
		"a limit too far": {EventFilter: payment.EventFilter{IDs: []string{"evt_1"}}, Limit: payment.MaxLimit + 1},
		"no state":        {EventFilter: payment.EventFilter{States: []payment.State{"gone"}}},
	} {
		if report, err := in.pay.Replay(t.Context(), f); err == nil {
			t.Errorf("%s: %+v", name, report)
		}
	}
	report, err := in.pay.Replay(t.Context(), payment.ReplayFilter{EventFilter: payment.EventFilter{Since: noon}, Limit: 2, DryRun: true})
	if err != nil || !report.More || !slices.Equal(report.Queued, []string{"evt_5", "evt_4"}) {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestEventsAreListedOverHTTP(t *testing.T) {
	t.Parallel()
	in, _, _ := filled(t)
	for path, want := range map[string]string{
		"":                            "evt_5 evt_4 evt_3 evt_2 evt_1",
		"?id=evt_2":                   "evt_2",
		"?id=evt_2,evt_4,evt_9":       "evt_4 evt_2",
		"?type=invoice.paid":          "evt_5 evt_1",
		"?type=invoice.*":             "evt_5 evt_2 evt_1",
		"?type=charge.*,invoicez.*":   "evt_4 evt_3",
		"?type=nothing":               "",
		"?state=dead":                 "evt_3",
		"?state=dead,pending":         "evt_3",
		"?since=2026-03-04T12:03:00Z": "evt_5 evt_4",
		"?until=2026-03-04T13:01:00%2B01:00&count=true": "evt_1",
		"?limit=2":        "evt_5 evt_4",
		"?limit=2&skip=4": "evt_1",
		"?limit=5":        "evt_5 evt_4 evt_3 evt_2 evt_1",
	} {
		a := in.do(http.MethodGet, "/events"+path, "")
		var events []struct{ ID string }
		if err := json.Unmarshal([]byte(a.body), &events); err != nil || a.status != http.StatusOK || events == nil {
			t.Errorf("%s: %d %s", path, a.status, a.body)
			continue
		}
		var ids []string
		for _, e := range events {
			ids = append(ids, e.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if next := a.header.Get("Link") != ""; next != (path == "?limit=2") {
			t.Errorf("%s: a next page: %v", path, next)
		}
		if count := a.header.Get("X-Total-Count"); (count == "1") != strings.Contains(path, "count") {
			t.Errorf("%s: count %q", path, count)
		}
		if strings.Contains(a.body, "of a customer") || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s shows what an event is about, or may be cached: %s", path, a.body)
		}
	}
}

func TestARequestForEventsIsChecked(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	for _, path := range []string{
		"?id=", "?id=$gt", "?id=evt_1,", "?id[$gt]=", "?type=.*", "?type=*", "?type=(a%2B)%2B$", "?type=a%00", "?state=gone", "?state=Dead",
		"?since=yesterday", "?until=1", "?since=2026-03-04T12:00:00Z&until=2026-03-04T12:00:00Z",
		"?limit=0", "?limit=1001", "?skip=-1", "?count=yes", "?query={}", "?id=evt_1&id=evt_2",
	} {
		in.do(http.MethodGet, "/events"+path, "").refused(http.StatusBadRequest, "invalid")
	}
	for query, field := range map[string]string{"id=$": "id", "type=*": "type", "state=gone": "state", "since=x": "since"} {
		if a := in.do(http.MethodGet, "/events?"+query, ""); !strings.Contains(a.body, `"field":"`+field+`"`) {
			t.Errorf("%s: the parameter is not named: %s", query, a.body)
		}
	}
	if events, err := in.pay.Events(t.Context(), payment.EventFilter{}, payment.Page{Limit: -1}); err == nil {
		t.Errorf("a negative limit: %v", events)
	}
	for _, body := range []string{
		`{}`, `{"dry_run": true}`, `{"ids": []}`, `{"ids": [{"$gt": ""}]}`, `{"ids": ["$x"]}`, `{"ids": "evt_1"}`, `{"ids": ["evt_1"], "limit": 1001}`,
		`{"ids": ["evt_1"], "limit": -1}`, `{"states": ["gone"]}`, `{"since": "x"}`, `{"ids": ["evt_1"], "secret": 1}`, `[]`, `{"types": ["*"]}`,
	} {
		in.do(http.MethodPost, "/events/replay", body).refused(http.StatusBadRequest, "invalid")
	}
	in.do(http.MethodGet, "/events/evt_1", "").refused(http.StatusNotFound, "not_found")
	in.do(http.MethodGet, "/events/$where", "").refused(http.StatusNotFound, "not_found")
	in.do(http.MethodGet, "/events/evt_1?x=1", "").refused(http.StatusBadRequest, "invalid")
	for _, r := range in.pay.Routes() {
		if strings.HasPrefix(r.Path, "/events") {
			req, err := http.NewRequestWithContext(t.Context(), r.Method, "/service/payment/v1"+r.Path, nil)
			if err != nil {
				t.Fatal(err)
			}
			in.serve(req).refused(http.StatusUnauthorized, "api_key_invalid")
		}
	}
}

func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	names := map[string]bool{}
	for _, r := range in.pay.Routes() {
		if names[r.Name] || r.Summary == "" || r.Response == nil || r.Doc == nil || r.Doc.Description == "" || r.Doc.Codes["invalid"] == "" {
			t.Errorf("the route %q lacks something", r.Name)
		}
		if public := r.Need == service.Public; public != (r.Name == "webhook") || public != (r.Scope == "") {
			t.Errorf("the route %q is open to whom it should not, or has no scope", r.Name)
		}
		if (r.Method == http.MethodPost) != (r.Request != nil) && r.Name != "webhook" {
			t.Errorf("the route %q does not say what it takes", r.Name)
		}
		names[r.Name] = true
	}
	if len(names) != 7 {
		t.Errorf("there are the routes %v", names)
	}
}

func TestAnEventIsShownAndReplayedOverHTTP(t *testing.T) {
	t.Parallel()
	in, calls, works := filled(t)
	a := in.do(http.MethodGet, "/events/evt_3", "")
	var got struct {
		ID, State, Type string
		Attempts        int
		Done            []string
		Faults          []payment.Fault
		Payload         json.RawMessage
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got.ID != "evt_3" || got.State != "dead" || got.Attempts != 2 || !slices.Equal(got.Done, []string{"works"}) ||
		len(got.Faults) != 1 || got.Faults[0].Subscriber != "fails" || !strings.Contains(string(got.Payload), "of a customer") {
		t.Errorf("%s", a.body)
	}
	*works = true
	a = in.do(http.MethodPost, "/events/replay", `{"types": ["invoicez.*"], "states": ["dead"], "since": "2026-03-04T12:00:00Z", "dry_run": true}`)
	if want := `{"queued":["evt_3"],"busy":[],"more":false,"dry_run":true}`; a.body != want {
		t.Errorf("%d %s, want %s", a.status, a.body, want)
	}
	a = in.do(http.MethodPost, "/events/replay", `{"ids": ["evt_3", "evt_1"], "again": true}`)
	if want := `{"queued":["evt_3","evt_1"],"busy":[],"more":false,"dry_run":false}`; a.body != want {
		t.Errorf("%d %s, want %s", a.status, a.body, want)
	}
	in.await()
	in.await()
	if diff := cmp.Diff(map[string]int{"fails evt_1": 1, "works evt_1": 1, "fails evt_3": 1, "works evt_3": 1}, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
