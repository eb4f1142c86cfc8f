package payment_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/payment"
)

// The request of the documentation that Coglex for Flask has.
const flaskCheckout = `{
  "mode": "payment",
  "success_url": "https://example.com/success",
  "cancel_url": "https://example.com/cancel",
  "email": "customer@example.com",
  "linedata": [
    {"price_data": {"currency": "usd", "product_data": {"name": "Product Name"}, "unit_amount": 2000}, "quantity": 1}
  ],
  "metadata": {"order_id": "12345"}
}`

func TestCheckoutAnswersStripesSession(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	a := s.post("/checkout", flaskCheckout)
	var got session
	a.decode(&got)
	if got.Object != "checkout.session" || got.PaymentStatus != "unpaid" || !strings.Contains(got.URL, got.ID) {
		t.Errorf("the session is %+v", got)
	}
	if got.CustomerEmail != "customer@example.com" || got.Customer != "" || got.Metadata["order_id"] != "12345" {
		t.Errorf("the session of a guest is %+v", got)
	}
	if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.header)
	}
	form := s.asked("POST", "/v1/checkout/sessions")[0].Form
	for name, want := range map[string]string{
		"line_items[0][price_data][currency]":           "usd",
		"line_items[0][price_data][product_data][name]": "Product Name",
		"line_items[0][price_data][unit_amount]":        "2000",
		"line_items[0][quantity]":                       "1",
		"metadata[order_id]":                            "12345",
		"payment_intent_data[metadata][order_id]":       "12345",
	} {
		if form.Get(name) != want {
			t.Errorf("Stripe was sent %s=%q, want %q", name, form.Get(name), want)
		}
	}
}

func TestCheckoutOfEachMode(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for mode, price := range map[payment.Mode]string{payment.ModePayment: priceOnce, payment.ModeSubscription: priceBasic, payment.ModeSetup: ""} {
		r := checkoutOf(mode, price, &ann)
		r.Metadata = map[string]string{"order": "7"}
		made, err := s.pay.Checkout(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if string(made.Mode) != string(mode) || made.Customer == nil || made.ClientReferenceID != "_USERS/ann" || made.SuccessURL != r.SuccessURL {
			t.Errorf("%s: %+v", mode, made)
		}
		want := map[string]string{"order": "7", "coglex_user": "_USERS/ann"}
		if diff := cmp.Diff(want, made.Metadata); diff != "" {
			t.Errorf("%s: metadata (-want +got):\n%s", mode, diff)
		}
		requests := s.asked(http.MethodPost, "/v1/checkout/sessions")
		form := requests[len(requests)-1].Form
		if made := map[payment.Mode]string{
			payment.ModePayment: "payment_intent_data", payment.ModeSubscription: "subscription_data", payment.ModeSetup: "setup_intent_data",
		}[mode]; form.Get(made+"[metadata][order]") != "7" {
			t.Errorf("%s: what comes of it has not the metadata: %v", mode, form)
		}
		if card := form.Get("payment_method_types[0]"); (card == "card") != (mode == payment.ModeSetup) {
			t.Errorf("%s: the means of payment are %q", mode, card)
		}
	}
}

// Stripe takes 200 characters of a reference, and our ids may have more.
func TestALongUserHasNoReference(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	made, err := s.pay.Checkout(t.Context(), checkoutOf(payment.ModePayment, priceOnce, &payment.User{ID: strings.Repeat("u", 256)}))
	if err != nil || made.ClientReferenceID != "" || made.Customer == nil {
		t.Errorf("%+v, %v", made, err)
	}
}

func TestCheckoutNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	with := func(old, new string) string { return strings.Replace(checkoutBody(""), old, new, 1) }
	metadata := func(m map[string]string) string {
		text := make([]string, 0, len(m))
		for k, v := range m {
			text = append(text, `"`+k+`": "`+v+`"`)
		}
		return checkoutBody(`, "metadata": {` + strings.Join(text, ",") + `}`)
	}
	many := map[string]string{}
	for _, a := range "abcdefgh" {
		for _, b := range "abcdefg" {
			many[string(a)+string(b)] = "1"
		}
	}
	data := func(text string) string {
		return with(`{"price": "price_once", "quantity": 2}`, `{"price_data": `+text+`}`)
	}
	for name, tt := range map[string]struct{ body, field string }{
		"no mode":                {with(`"mode": "payment", `, ``), "mode"},
		"unknown mode":           {with(`"payment"`, `"gift"`), "mode"},
		"no success_url":         {with(`"success_url": "https://shop.example/ok", `, ``), "success_url"},
		"no cancel_url":          {with(`"cancel_url": "https://shop.example/no", `, ``), "cancel_url"},
		"no email":               {with(`"email": "customer@example.com",`, ``), "email"},
		"malformed email":        {with(`customer@example.com`, `customer`), "email"},
		"two emails":             {with(`customer@example.com`, `a@b.c,d@e.f`), "email"},
		"no linedata":            {with(`[{"price": "price_once", "quantity": 2}]`, `[]`), "linedata"},
		"linedata in setup":      {with(`"payment"`, `"setup"`), "linedata"},
		"no price":               {with(`"price": "price_once", `, ``), "linedata[0].price"},
		"price and price_data":   {with(`"quantity"`, `"price_data": {"currency": "eur", "unit_amount": 1, "product": "p"}, "quantity"`), "linedata[0].price_data"},
		"negative quantity":      {with(`"quantity": 2`, `"quantity": -2`), "linedata[0].quantity"},
		"fraction as quantity":   {with(`"quantity": 2`, `"quantity": 1.5`), "linedata[0].quantity"},
		"no currency":            {data(`{"unit_amount": 1, "product": "p"}`), "linedata[0].price_data.currency"},
		"no amount":              {data(`{"currency": "eur", "product": "p"}`), "linedata[0].price_data.unit_amount"},
		"negative amount":        {data(`{"currency": "eur", "unit_amount": -1, "product": "p"}`), "linedata[0].price_data.unit_amount"},
		"no product":             {data(`{"currency": "eur", "unit_amount": 1}`), "linedata[0].price_data.product_data"},
		"no name of the product": {data(`{"currency": "eur", "unit_amount": 1, "product_data": {}}`), "linedata[0].price_data.product_data.name"},
		"no interval":            {data(`{"currency": "eur", "unit_amount": 1, "product": "p", "recurring": {}}`), "linedata[0].price_data.recurring.interval"},
		"unknown field":          {checkoutBody(`, "discounts": []`), "discounts"},
		"unknown field of line":  {with(`"quantity": 2`, `"quantity": 2, "amount": 1`), "linedata[0].amount"},
		"idempotency in body":    {checkoutBody(`, "IdempotencyKey": "x"`), "IdempotencyKey"},
		"too much metadata":      {metadata(many), "metadata"},
		"long name":              {metadata(map[string]string{strings.Repeat("n", 41): "1"}), "metadata"},
		"bracket in a name":      {metadata(map[string]string{"a[b]": "1"}), "metadata"},
		"long value":             {metadata(map[string]string{"a": strings.Repeat("v", 501)}), "metadata"},
		"name of ours":           {metadata(map[string]string{"coglex_user": "_USERS/bob"}), "metadata"},
		"name of ours, capitals": {metadata(map[string]string{"Coglex_User": "_USERS/bob"}), "metadata"},
		"number in metadata":     {checkoutBody(`, "metadata": {"a": 1}`), "metadata.a"},
		"user without id":        {checkoutBody(`, "user": {"collection": "_USERS"}`), "user"},
		"user with a slash":      {checkoutBody(`, "user": {"id": "x", "collection": "a/b"}`), "user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.post("/checkout", tt.body)
			a.TB = t
			a.refused(http.StatusBadRequest, "invalid")
			if !strings.Contains(a.body, `"field":"`+tt.field+`"`) {
				t.Errorf("the body %s does not name %s", a.body, tt.field)
			}
		})
	}
	t.Cleanup(func() {
		if asked := s.asked("POST", "/v1/checkout/sessions"); len(asked) > 0 {
			t.Errorf("Stripe was asked %d times", len(asked))
		}
	})
}

func TestMetadataUpToStripesBounds(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := checkoutOf(payment.ModePayment, priceOnce, &ann)
	r.Metadata = map[string]string{strings.Repeat("ä", 40): strings.Repeat("ß", 500)}
	for i := range 48 {
		r.Metadata[string(rune('A'+i))+"x"] = ""
	}
	delete(r.Metadata, "[x") // which Stripe would refuse
	delete(r.Metadata, "]x")
	before := maps.Clone(r.Metadata)
	if _, err := s.pay.Checkout(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, r.Metadata); diff != "" {
		t.Errorf("the caller's metadata was changed:\n%s", diff)
	}
}

func TestCheckoutRefusesURLsThatAreNone(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, url := range []string{
		"javascript:alert(1)", "JavaScript://shop.example/%0aalert(1)", "data:text/html,x", "//shop.example/ok", "/ok", "shop.example", "https:",
		"https:///ok", "https://", "http:shop.example", "ftp://shop.example/", "https://ann:secret@shop.example/", "https://shop.example\\@evil.example/",
		"https://shop.example/a b", "https://shop.example/\\u0000", "https://shop.example/\\n", "https://:443/", "https://shop.example/" + strings.Repeat("a", 2048),
	} {
		url = strings.ReplaceAll(url, `\@`, `\\@`)
		for _, field := range []string{"ok", "no"} {
			body := strings.Replace(checkoutBody(""), "https://shop.example/"+field, url, 1)
			a := s.post("/checkout", body)
			a.refused(http.StatusBadRequest, "invalid")
			if !strings.Contains(a.body, "_url") {
				t.Errorf("%s: %s", url, a.body)
			}
		}
	}
}

func TestARepeatedCheckoutIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	made := func(body, key string, headers ...string) string {
		t.Helper()
		var got session
		s.post("/checkout", body, append(headers, "Idempotency-Key", key)...).decode(&got)
		return got.ID
	}
	first := made(checkoutBody(""), "order 7")
	if again := made(checkoutBody(""), "order 7"); again != first {
		t.Errorf("sessions %s and %s of one key", first, again)
	}
	if other := made(checkoutBody(""), "order 8"); other == first {
		t.Error("one session of two keys")
	}
	ann := made(checkoutBody(""), "order 7", "Authorization", "Bearer ann")
	bob := made(checkoutBody(""), "order 7", "Authorization", "Bearer bob")
	if ann == first || bob == first || ann == bob {
		t.Errorf("a guest, ann and bob share sessions: %s, %s, %s", first, ann, bob)
	}
	if again := made(checkoutBody(""), "order 7", "Authorization", "Bearer ann"); again != ann {
		t.Errorf("ann's sessions are %s and %s", ann, again)
	}
	s.post("/checkout", checkoutBody(`, "metadata": {"a": "b"}`), "Idempotency-Key", "order 7").refused(http.StatusConflict, "idempotency_key_reused")
	for _, sent := range s.asked("POST", "/v1/checkout/sessions") {
		if strings.Contains(sent.IdempotencyKey, "order") || !strings.HasPrefix(sent.IdempotencyKey, "coglex-") {
			t.Errorf("Stripe was sent the key %q", sent.IdempotencyKey)
		}
	}
}

func TestIdempotencyKeysAreBounded(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, key := range []string{"", strings.Repeat("k", 256), "a\tb", "ä"} {
		s.post("/checkout", checkoutBody(""), "Idempotency-Key", key).refused(http.StatusBadRequest, "invalid")
	}
	s.post("/checkout", checkoutBody(""), "Idempotency-Key", "a", "Idempotency-Key", "b").refused(http.StatusBadRequest, "invalid")
	var got session
	s.post("/checkout", checkoutBody(""), "Idempotency-Key", strings.Repeat("k", 255)).decode(&got)
}
