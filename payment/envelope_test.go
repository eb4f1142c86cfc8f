package payment_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
)

func TestUnknownEventsAreTaken(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	got := make(chan payment.StripeWebhookReceived, 1)
	in.subscribe("see", func(e payment.StripeWebhookReceived) error { got <- e; return nil })
	in.start()
	wide := new(strings.Builder)
	for i := range 20_000 {
		fmt.Fprintf(wide, `"k%d": %d,`, i, i)
	}
	for i, c := range []struct {
		name, body string
		want       payment.StripeWebhookReceived
	}{
		{
			"a thin one of v2",
			`{"id": "evt_0", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered", "livemode": false, "created": "2026-03-04T11:00:00.123Z", "related_object": {"id": "mtr_1"}, "context": "acct_7"}`,
			payment.StripeWebhookReceived{Type: "v1.billing.meter.error_report_triggered", Created: noon.Add(-time.Hour + 123*time.Millisecond), Account: "acct_7"},
		},
		{
			"another version, of an account", `{"id": "evt_1", "type": "a.b", "api_version": "2026-08-26.dahlia", "account": "acct_1", "created": 1, "data": {"object": {}}}`,
			payment.StripeWebhookReceived{Type: "a.b", APIVersion: "2026-08-26.dahlia", Account: "acct_1", Created: time.Unix(1, 0), Object: []byte("{}")},
		},
		{"nothing but an id", `{"id": "evt_2"}`, payment.StripeWebhookReceived{Created: noon}},
		{
			"all of other kinds", `{"id": "evt_3", "type": 1, "api_version": {}, "account": ["a"], "livemode": "yes", "created": [], "data": 7}`,
			payment.StripeWebhookReceived{Created: noon},
		},
		{
			"words that are none", `{"id": "evt_4", "type": "a\u0000b", "api_version": "` + strings.Repeat("x", 300) + `", "created": 1e400, "account": "\u202e"}`,
			payment.StripeWebhookReceived{Created: noon},
		},
		{"a wide one", `{"id": "evt_5", "type": "a.b", ` + wide.String() + `"data": {"object": 1}}`, payment.StripeWebhookReceived{Type: "a.b", Created: noon, Object: []byte("1")}},
		{"a year that JSON has not", `{"id": "evt_7", "created": "9999-12-31T23:59:59-12:00"}`, payment.StripeWebhookReceived{Created: noon}},
		{"a year before all", `{"id": "evt_8", "created": "0000-01-01T00:00:00+12:00"}`, payment.StripeWebhookReceived{Created: noon}},
		{"an object in capitals", `{"id": "evt_9", "data": {"OBJECT": {"id": "x"}}}`, payment.StripeWebhookReceived{Created: noon}},
		{"an id that is known from elsewhere", `{"id": "evt_test-65R9_6", "type": "a.b"}`, payment.StripeWebhookReceived{Type: "a.b", Created: noon}},
	} {
		in.deliver(c.body).received()
		e := receive(t, got)
		if e.Type != c.want.Type || e.APIVersion != c.want.APIVersion || e.Account != c.want.Account || e.Livemode || !e.Created.Equal(c.want.Created) || string(e.Object) != string(c.want.Object) {
			t.Errorf("%d, %s: %+v", i, c.name, e)
		}
		if string(e.Payload) != c.body {
			t.Errorf("%d, %s: the payload has changed", i, c.name)
		}
		if o := in.await(); o.state != payment.StateDone {
			t.Errorf("%d, %s: %v", i, c.name, o)
		}
	}
	if a := in.do(http.MethodGet, "/events", ""); a.status != http.StatusOK {
		t.Errorf("the list: %d %s", a.status, a.body)
	}
}

func TestEventsOfTheOtherModeAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, livemode string
		want          payment.State
	}{
		{"sk_test_1", "false", payment.StateDone},
		{"sk_test_1", "true", payment.StateIgnored},
		{"rk_live_1", "true", payment.StateDone},
		{"rk_live_1", "false", payment.StateIgnored},
		{"rk_live_1", "null", payment.StateDone},
		{"another_kind", "true", payment.StateDone},
		{"another_kind", "false", payment.StateDone},
	} {
		t.Run(c.key+" "+c.livemode, func(t *testing.T) {
			t.Parallel()
			db := dbtest.Database(t)
			in := newInboxOf(t, db, c.key, newClock(), nil)
			calls := 0
			in.subscribe("count", func(payment.StripeWebhookReceived) error { calls++; return nil })
			in.start()
			in.deliver(`{"id": "evt_1", "type": "a.b", "livemode": ` + c.livemode + `}`).received()
			in.deliver(`{"id": "evt_2", "type": "a.b"}`).received()
			in.await()
			if c.want == payment.StateDone {
				in.await()
			}
			in.stop(t.Context())
			if r := in.record("evt_1"); r.State != c.want {
				t.Errorf("the state is %s, want %s", r.State, c.want)
			}
			if want := map[payment.State]int{payment.StateDone: 2, payment.StateIgnored: 1}[c.want]; calls != want {
				t.Errorf("%d calls, want %d", calls, want)
			}
		})
	}
}
