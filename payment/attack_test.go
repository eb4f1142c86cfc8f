package payment_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
)

func TestNoServiceWithoutASecret(t *testing.T) {
	t.Parallel()
	db := new(mongo.Database)
	for _, c := range []struct {
		name, key, secret string
		opts              payment.Options
		want              []string
	}{
		{name: "an empty secret", key: stripeKey, want: []string{"webhook secret (STRIPE_WEBHOOK_SECRET) is empty"}},
		{name: "a blank secret", key: stripeKey, secret: " \t\n", want: []string{"STRIPE_WEBHOOK_SECRET) is empty"}},
		{name: "the prefix alone", key: stripeKey, secret: "whsec_", want: []string{"STRIPE_WEBHOOK_SECRET) is empty"}},
		{name: "the prefix and a blank", key: stripeKey, secret: "whsec_ ", want: []string{"STRIPE_WEBHOOK_SECRET) is empty"}},
		{name: "a line break after it", key: stripeKey, secret: secret + "\n", want: []string{"white space"}},
		{name: "the publishable key", key: stripeKey, secret: "pk_test_1", want: []string{"not the signing secret"}},
		{name: "the secret key", key: stripeKey, secret: stripeKey, want: []string{"not the signing secret"}},
		{name: "an empty old secret", key: stripeKey, secret: secret, opts: payment.Options{OldWebhookSecrets: []string{secret, ""}}, want: []string{"OldWebhookSecrets[1] is empty"}},
		{name: "an empty key", secret: secret, want: []string{"STRIPE_SECRET_KEY) is empty"}},
		{name: "a publishable key", key: "pk_live_1", secret: secret, want: []string{"is a publishable one"}},
		{name: "all at once", opts: payment.Options{Keep: time.Hour, Workers: -1, APIBase: "stripe.com"}, want: []string{"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "Options.Keep", "Options.Workers", "Options.APIBase"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pay, err := payment.New(db, c.key, c.secret, &c.opts)
			if err == nil || pay != nil {
				t.Fatal("a service was made")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not say %q", err, want)
				}
			}
			if s := strings.TrimSpace(c.secret); len(s) > 10 && strings.Contains(err.Error(), s) {
				t.Errorf("the error repeats the secret: %v", err)
			}
		})
	}
}

func TestForgedWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	body := event("evt_1", "charge.succeeded")
	good := sign(body, noon, secret)
	mac := strings.SplitN(good, "v1=", 2)[1]
	stamp := strconv.FormatInt(noon.Unix(), 10)
	flipped, err := hex.DecodeString(mac)
	if err != nil {
		t.Fatal(err)
	}
	flipped[31] ^= 1
	many := "t=" + stamp + strings.Repeat(",v1="+strings.Repeat("0", 64), 16) + ",v1=" + mac
	for name, c := range map[string]struct { //nolint:paralleltest // they are quick, and what they left is looked at
		body       string
		signatures []string
	}{
		"no signature":                     {body, nil},
		"an empty header":                  {body, []string{""}},
		"two headers, one of them good":    {body, []string{good, good}},
		"another secret":                   {body, []string{sign(body, noon, "whsec_another")}},
		"the empty secret":                 {body, []string{sign(body, noon, "")}},
		"the key":                          {body, []string{sign(body, noon, stripeKey)}},
		"a body changed by a byte":         {strings.Replace(body, "700", "701", 1), []string{good}},
		"a body with a byte more":          {body + " ", []string{good}},
		"a signature changed by a bit":     {body, []string{"t=" + stamp + ",v1=" + hex.EncodeToString(flipped)}},
		"half a signature":                 {body, []string{"t=" + stamp + ",v1=" + mac[:32]}},
		"an empty signature":               {body, []string{"t=" + stamp + ",v1="}},
		"no hexadecimal":                   {body, []string{"t=" + stamp + ",v1=" + strings.Repeat("z", 64)}},
		"the scheme of tests":              {body, []string{"t=" + stamp + ",v0=" + mac}},
		"no timestamp":                     {body, []string{"v1=" + mac}},
		"two timestamps":                   {body, []string{"t=" + stamp + ",t=" + stamp + ",v1=" + mac}},
		"another timestamp than is signed": {body, []string{"t=" + strconv.FormatInt(noon.Unix()+1, 10) + ",v1=" + mac}},
		"a timestamp with a zero more":     {body, []string{"t=0" + stamp + ",v1=" + mac}},
		"a timestamp with a sign":          {body, []string{"t=+" + stamp + ",v1=" + mac}},
		"a negative timestamp":             {body, []string{"t=-1,v1=" + mac}},
		"a timestamp beyond all":           {body, []string{"t=" + strings.Repeat("9", 30) + ",v1=" + mac}},
		"the good one after sixteen":       {body, []string{many}},
		"the good one after 4 KiB":         {body, []string{strings.Repeat("v0=x,", 1000) + good}},
		"only commas":                      {body, []string{strings.Repeat(",", 4000)}},
		"unsigned JSON":                    {`{"id": "evt_1", "type": "invoice.paid"}`, []string{"t=" + stamp}},
	} {
		t.Run(name, func(t *testing.T) {
			sub := *in
			sub.TB = t
			sub.post(c.body, c.signatures...).refused(http.StatusBadRequest, "signature_invalid")
		})
	}
	in.post(body, good).received() // so that the others were refused for what they are
	if n := in.count(); n != 1 {
		t.Errorf("%d events were stored, want the one", n)
	}
}

func TestAnySecretThatIsGivenMaySign(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.OldWebhookSecrets = []string{"whsec_old", "whsec_older"} })
	for i, secrets := range [][]string{{secret}, {"whsec_old"}, {"whsec_older"}, {"whsec_new", secret}, {"whsec_older", "whsec_new"}} {
		body := event(fmt.Sprintf("evt_%d", i), "charge.succeeded")
		in.post(body, sign(body, noon, secrets...)).received()
	}
	body := event("evt_9", "charge.succeeded")
	in.post(body, strings.Replace(sign(body, noon, secret), "v1=", "v0=00, v2=zz, v1=", 1)).received() // other schemes beside
}

func TestACapturedDeliveryIsOfNoUse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		off  time.Duration
		ok   bool
	}{
		{"at once", 0, true},
		{"at the end of the tolerance", payment.DefaultTolerance, true},
		{"after the tolerance", payment.DefaultTolerance + time.Second, false},
		{"a year later", 365 * 24 * time.Hour, false},
		{"from the near future", -payment.DefaultTolerance, true},
		{"from the future", -payment.DefaultTolerance - time.Second, false},
		{"from the next century", -100 * 365 * 24 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := newInbox(t, dbtest.Database(t), newClock(), nil)
			calls := make(chan string, 10)
			in.subscribe("count", func(e payment.StripeWebhookReceived) error { calls <- e.ID; return nil })
			in.start()
			body := event("evt_1", "charge.succeeded")
			captured := sign(body, noon, secret)
			if c.off >= 0 {
				in.post(body, captured).received()
				in.want("evt_1", payment.StateDone)
			}
			in.clock.add(c.off)
			if c.ok {
				in.post(body, captured).received()
			} else {
				in.post(body, captured).refused(http.StatusBadRequest, "signature_expired")
			}
			in.stop(t.Context())
			if c.off >= 0 && len(calls) != 1 {
				t.Errorf("handled %d times", len(calls))
			}
			if c.off < 0 && !c.ok && in.count() != 0 {
				t.Error("it was stored")
			}
		})
	}
}

func TestBodiesAndHeadersAreBounded(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	base := `{"id": "evt_1", "type": "a.b", "pad": ""}`
	pad := func(size int) string {
		return strings.Replace(base, `""`, `"`+strings.Repeat("x", size-len(base))+`"`, 1)
	}
	exact, over := pad(payment.DefaultMaxWebhookBytes), pad(payment.DefaultMaxWebhookBytes+1)
	for i, size := range []int{16 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 64<<10 + 2} {
		body := strings.Replace(pad(size), "evt_1", fmt.Sprintf("evt%d0", i), 1)
		in.deliver(body).received()
		if r := in.record(fmt.Sprintf("evt%d0", i)); string(r.Payload) != body {
			t.Errorf("of %d bytes %d were stored", size, len(r.Payload))
		}
	}
	in.deliver(exact).received()
	a := in.deliver(over)
	a.refused(http.StatusRequestEntityTooLarge, "too_large")
	if a.header.Get("Connection") != "close" {
		t.Error("the connection is kept for the rest of the body")
	}
	server := httptest.NewServer(in.app.Handler(in.echo))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		body, signature string
		chunked         bool
		want            int
	}{
		"a length that is not given": {over, sign(over, noon, secret), true, http.StatusRequestEntityTooLarge},
		"a header of 1 MB":           {base, "t=1,v1=" + strings.Repeat("0", 1<<20), false, http.StatusBadRequest},
		"a header of 2 MB":           {base, "t=1,v1=" + strings.Repeat("0", 2<<20), false, http.StatusRequestHeaderFieldsTooLarge},
		"a header of 100 KB":         {base, "t=1,v1=" + strings.Repeat("0", 100<<10), false, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/service/payment/v1/webhook", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.chunked {
				r.ContentLength = -1
			}
			r.Header.Set("Stripe-Signature", c.signature)
			res, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != c.want {
				t.Errorf("status %d, want %d", res.StatusCode, c.want)
			}
		})
	}
}

func TestLargeBodiesThatDoNotEndTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Timeout = 2 * time.Second })
	server := httptest.NewServer(in.app.Handler(in.echo))
	t.Cleanup(server.Close)
	_, most := in.pay.LargeBodies()
	var conns []net.Conn
	for range 3 * most { // of whom nobody knows the secret
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		fmt.Fprintf(conn, "POST /service/payment/v1/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n"+
			"Stripe-Signature: t=%d,v1=%064d\r\n\r\n%070000d", noon.Unix(), 0, 0)
	}
	full := func() bool { n, _ := in.pay.LargeBodies(); return n == most }
	for !full() {
		runtime.Gosched() // or the test times out
	}
	large := func(id string) string {
		return strings.Replace(event(id, "a.b"), "700", strings.Repeat("7", 100_000), 1)
	}
	in.deliver(event("evt_small", "a.b")).received()
	refused := in.deliver(large("evt_large"))
	refused.refused(http.StatusServiceUnavailable, "not_stored")
	if refused.header.Get("Retry-After") == "" {
		t.Error("the refusal does not say when to come back")
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	in.deliver(large("evt_large")).received()
	if n := in.count(); n != 2 {
		t.Errorf("%d events are stored", n)
	}
}

func TestSignedNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	id := func(text string) string { return `{"id": ` + text + `, "type": "charge.succeeded"}` }
	for name, body := range map[string]string{ //nolint:paralleltest // they are quick, and what they left is looked at
		"nothing":                   "",
		"white space":               " \n",
		"no JSON":                   "evt_1",
		"half a JSON":               `{"id": "evt_1"`,
		"two values":                event("evt_1", "a.b") + "{}",
		"an array":                  "[" + event("evt_1", "a.b") + "]",
		"a string":                  `"evt_1"`,
		"null":                      "null",
		"no id":                     `{"type": "charge.succeeded"}`,
		"an operator for an id":     id(`{"$gt": ""}`),
		"a pattern for an id":       id(`{"$regex": ".*"}`),
		"null for an id":            id("null"),
		"a number for an id":        id("1"),
		"a list for an id":          id(`["evt_1"]`),
		"an empty id":               id(`""`),
		"an id of 10 KB":            id(`"` + strings.Repeat("x", 10_000) + `"`),
		"an id of 256 bytes":        id(`"` + strings.Repeat("x", 256) + `"`),
		"a NUL in the id":           id(`"evt_1\u0000"`),
		"a line break in the id":    id(`"evt_1\n"`),
		"a path in the id":          id(`"../evt_1"`),
		"a dollar in the id":        id(`"$evt_1"`),
		"a bidi override in the id": id(`"evt_\u202e1"`),
		"letters that look alike":   id(`"еvt_1"`),
		"a byte that is no UTF-8":   id("\"evt_\xff\""),
		"two ids":                   `{"id": "evt_1", "id": "evt_2"}`,
		"two ids, one escaped":      `{"id": "evt_1", "\u0069d": "evt_2"}`,
		"two of another name":       `{"id": "evt_1", "data": {"object": {"a": 1, "a": 2}}}`,
		"half a surrogate":          `{"id": "evt_1", "data": "\ud800"}`,
		"a deep one":                `{"id": "evt_1", "data": ` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`,
		"a deep one of objects":     `{"id": "evt_1", "data": ` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 101),
		"a deep one without an end": strings.Repeat("[", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			sub := *in
			sub.TB = t
			sub.deliver(body).refused(http.StatusBadRequest, "invalid")
		})
	}
	if n := in.count(); n != 0 {
		t.Errorf("%d events were stored", n)
	}
}
