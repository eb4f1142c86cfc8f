package payment_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/payment"
)

func TestASignedInUserPaysAsThemselves(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var got session
	s.post("/checkout", checkoutBody(""), "Authorization", "Bearer ann").decode(&got)
	customer, err := s.pay.Customer(t.Context(), ann, "")
	s.must(err)
	if got.Customer != customer || got.Reference != "_USERS/ann" || got.CustomerEmail != "" {
		t.Errorf("the session is %+v, ann's customer is %s", got, customer)
	}
	s.post("/checkout", checkoutBody(`, "user": {"id": "ann"}`), "Authorization", "Bearer ann").decode(&got)
	if got.Customer != customer {
		t.Errorf("the customer is %s, ann's is %s", got.Customer, customer)
	}
	for _, user := range []string{`{"id": "bob"}`, `{"id": "ann", "collection": "staff"}`} {
		s.post("/checkout", checkoutBody(`, "user": `+user), "Authorization", "Bearer ann").refused(http.StatusBadRequest, "invalid")
	}
	s.post("/checkout", checkoutBody(""), "Authorization", "Bearer forged").refused(http.StatusUnauthorized, "unauthenticated")
}

func TestTheHolderOfAKeyActsForAnyUser(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var got session
	s.post("/checkout", checkoutBody(`, "user": {"id": "bob", "collection": "staff"}`)).decode(&got)
	if got.Reference != "staff/bob" || got.Customer == "" {
		t.Errorf("the session is %+v", got)
	}
	var portal struct{ URL string }
	s.post("/portal", `{"customer": "`+got.Customer+`", "return_url": "https://shop.example/"}`).decode(&portal)
	s.post("/portal", `{"user": {"id": "bob", "collection": "staff"}, "return_url": "https://shop.example/"}`).decode(&portal)
	if !strings.HasPrefix(portal.URL, s.stripe.URL()) {
		t.Errorf("the portal is %+v", portal)
	}
	var sub struct {
		Customer         string
		CollectionMethod string `json:"collection_method"`
		DaysUntilDue     int    `json:"days_until_due"`
	}
	s.post("/subscription", `{"email": "bob@example.com", "items": [{"price": "price_basic"}], "user": {"id": "bob", "collection": "staff"}}`).decode(&sub)
	if sub.Customer != got.Customer || sub.CollectionMethod != "send_invoice" || sub.DaysUntilDue != 7 {
		t.Errorf("the subscription is %+v", sub)
	}
}

// Without an API key a caller is who their token says, or nobody.
func TestMountedAloneNobodyActsForAnother(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	bobs, err := s.pay.Customer(t.Context(), payment.User{ID: "bob"}, "bob@example.com")
	s.must(err)
	const subscription = `{"email": "x@example.com", "items": [{"price": "price_basic"}]%s}`
	const portal = `{"return_url": "https://shop.example/"%s}`
	fill := func(body, more string) string { return strings.Replace(body, "%s", more, 1) }
	asBob, toBobs := `, "user": {"id": "bob"}`, `, "customer": "`+bobs+`"`
	madeUp := strings.Replace(checkoutBody(""), `"price": "price_once"`, `"price_data": {"currency": "eur", "unit_amount": 1, "product_data": {"name": "All"}}`, 1)
	for name, tt := range map[string]struct {
		path, body, token string
		status            int
		code              string
	}{
		"a guest for bob":                {"/alone/checkout", checkoutBody(asBob), "", 401, "unauthenticated"},
		"ann for bob":                    {"/alone/checkout", checkoutBody(asBob), "ann", 400, "invalid"},
		"a price of one's own":           {"/alone/checkout", madeUp, "ann", 403, "price_data_forbidden"},
		"a guest's price of one's own":   {"/alone/checkout", madeUp, "", 403, "price_data_forbidden"},
		"a guest subscribes":             {"/alone/subscription", fill(subscription, ""), "", 401, "unauthenticated"},
		"a guest subscribes for bob":     {"/alone/subscription", fill(subscription, asBob), "", 401, "unauthenticated"},
		"ann subscribes for bob":         {"/alone/subscription", fill(subscription, asBob), "ann", 400, "invalid"},
		"a guest opens bob's portal":     {"/alone/portal", fill(portal, toBobs), "", 401, "unauthenticated"},
		"a guest opens a portal for bob": {"/alone/portal", fill(portal, asBob), "", 401, "unauthenticated"},
		"ann opens bob's portal":         {"/alone/portal", fill(portal, toBobs), "ann", 403, "customer_forbidden"},
		"ann opens a portal for bob":     {"/alone/portal", fill(portal, asBob), "ann", 400, "invalid"},
		"ann, no customer, opens hers":   {"/alone/portal", fill(portal, ""), "ann", 404, "customer_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if tt.token != "" {
				headers = []string{"Authorization", "Bearer " + tt.token}
			}
			// A key that nobody has checked opens nothing.
			a := s.request(tt.path, tt.body, append(headers, "X-API-Key", apiKey)...)
			a.TB = t
			a.refused(tt.status, tt.code)
			if strings.Contains(a.body, bobs) && !strings.Contains(tt.body, bobs) {
				t.Errorf("the body has bob's customer: %s", a.body)
			}
		})
	}
	// With an API key and a token it is the token that counts.
	s.post("/portal", fill(portal, toBobs), "Authorization", "Bearer ann").refused(http.StatusForbidden, "customer_forbidden")
	if _, err := s.pay.Customer(t.Context(), payment.User{ID: "carl"}, ""); err != nil {
		t.Fatal(err)
	}
	s.request("/alone/portal", fill(portal, toBobs), "Authorization", "Bearer carl").refused(http.StatusForbidden, "customer_forbidden")
	var opened struct{ URL string }
	s.request("/alone/portal", fill(portal, toBobs), "Authorization", "Bearer bob").decode(&opened)
	s.request("/alone/portal", fill(portal, ""), "Authorization", "Bearer bob").decode(&opened)
	var got session
	s.request("/alone/checkout", checkoutBody(""), "Authorization", "Bearer bob").decode(&got)
	if got.Customer != bobs {
		t.Errorf("the customer is %s, want %s", got.Customer, bobs)
	}
	var guest session
	s.request("/alone/checkout", checkoutBody("")).decode(&guest)
	if guest.Customer != "" || guest.Reference != "" {
		t.Errorf("the guest's session is %+v", guest)
	}
}

func TestRequestsThatAreNotUnderstood(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, path := range []string{"/checkout", "/subscription", "/portal"} {
		s.post(path, `{`).refused(http.StatusBadRequest, "invalid")
		s.post(path, `{"a": 1}`).refused(http.StatusBadRequest, "invalid")
		s.post(path+"?x=1", `{}`).refused(http.StatusBadRequest, "invalid")
		s.post(path, `{"email": "`+strings.Repeat("a", 1<<20)+`"}`).refused(http.StatusRequestEntityTooLarge, "too_large")
		s.request("/service/payment/v1"+path, checkoutBody("")).refused(http.StatusUnauthorized, "api_key_invalid")
		s.request("/service/payment/v1"+path+"/", checkoutBody("")).refused(http.StatusUnauthorized, "api_key_invalid")
	}
	for body, field := range map[string]string{
		`{"return_url": "https://shop.example/"}`:                              "customer",
		`{"customer": "cus_1"}`:                                                "return_url",
		`{"customer": "cus_1", "return_url": "javascript:alert(1)"}`:           "return_url",
		`{"customer": "", "user": {}, "return_url": "https://shop.example/x"}`: "user",
	} {
		a := s.post("/portal", body)
		a.refused(http.StatusBadRequest, "invalid")
		if !strings.Contains(a.body, `"field":"`+field+`"`) {
			t.Errorf("%s: %s does not name %s", body, a.body, field)
		}
	}
	for body, field := range map[string]string{
		`{"items": [{"price": "p"}]}`:                                         "email",
		`{"email": "a@b.c"}`:                                                  "items",
		`{"email": "a@b.c", "items": [{"quantity": 1}]}`:                      "items[0].price",
		`{"email": "a@b.c", "items": [{"price": "p", "quantity": -1}]}`:       "items[0].quantity",
		`{"email": "a@b.c", "items": [{"price": "p"}], "due": -1}`:            "due",
		`{"email": "a@b.c", "items": [{"price": "p"}], "due": 366}`:           "due",
		`{"email": "a@b.c", "items": [{"price": "p"}], "metadata": {"": ""}}`: "metadata",
	} {
		a := s.post("/subscription", body)
		a.refused(http.StatusBadRequest, "invalid")
		if !strings.Contains(a.body, `"field":"`+field+`"`) {
			t.Errorf("%s: %s does not name %s", body, a.body, field)
		}
	}
	s.post("/portal", `{"customer": "cus_nobody", "return_url": "https://shop.example/"}`).refused(http.StatusBadRequest, "resource_missing")
	if n := len(s.stripe.Requests()); n != 1 {
		t.Errorf("Stripe was asked %d times, want once", n)
	}
}

func TestEveryStripeRouteIsDocumented(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	names := map[string]bool{}
	for _, r := range s.pay.Routes() {
		names[r.Name] = true
		if r.Doc == nil || len(r.Doc.Codes) == 0 || r.Summary == "" {
			t.Errorf("the route %s is not documented", r.Name)
		}
	}
	for _, name := range []string{"checkout", "subscription", "portal"} {
		if !names[name] {
			t.Errorf("there is no route %s", name)
		}
	}
}
