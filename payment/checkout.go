package payment

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/service"
)

// Mode is what a checkout is for.
type Mode string

// The modes of a checkout.
const (
	// ModePayment takes money once.
	ModePayment Mode = "payment"
	// ModeSubscription takes money now and again.
	ModeSubscription Mode = "subscription"
	// ModeSetup takes no money, but a card for later.
	ModeSetup Mode = "setup"
)

// Bounds of what Stripe is sent, most of them Stripe's own.
const (
	maxLines         = 100
	maxMetadata      = 50
	maxMetadataName  = 40
	maxMetadataValue = 500
	maxURL           = 2048
	maxEmail         = 512
	maxReference     = 200
)

// reservedPrefix begins the names of metadata that the service itself sets.
const reservedPrefix = "coglex_"

// CheckoutRequest is what [Service.Checkout] asks of Stripe.
type CheckoutRequest struct {
	// Mode is what the checkout is for.
	Mode Mode `json:"mode"`
	// SuccessURL and CancelURL are where Stripe sends the customer back to: absolute
	// http or https URLs. Stripe puts the id of the session in place of
	// {CHECKOUT_SESSION_ID}. That a customer came to SuccessURL proves nothing: wait
	// for [Paid].
	SuccessURL string `json:"success_url"`
	CancelURL  string `json:"cancel_url"`
	// Email is the customer's.
	Email string `json:"email"`
	// Linedata is what is sold, 1 to 100 lines; none in ModeSetup.
	Linedata []Line `json:"linedata"`
	// Metadata is kept with the session and with the payment or the subscription that
	// comes of it, and comes back in [Paid]: 50 names at most, one of them the
	// service's own where there is a user. Names have 1 to 40 characters, values up
	// to 500. Names that begin with "coglex_" are reserved.
	Metadata map[string]string `json:"metadata"`
	// User is who pays; nil is a guest, whom Stripe knows by Email only.
	User *User `json:"user"`
	// IdempotencyKey makes Stripe answer a repeated request as it did the first time,
	// for a day, a failure of Stripe's own included: 255 characters at most, such as a
	// UUID, for guests have one space of keys. Empty for none.
	IdempotencyKey string `json:"-"`
}

// Line is one line of a checkout: a price that Stripe knows, or one made up for it.
type Line struct {
	// Price is the id of a price at Stripe. Either it or PriceData is given.
	Price     string     `json:"price"`
	PriceData *PriceData `json:"price_data"`
	// Quantity is how many, at least 1; nil for a price that is metered.
	Quantity *int64 `json:"quantity"`
}

// PriceData is a price that exists for one checkout only.
type PriceData struct {
	// Currency is an ISO 4217 code in lower case, such as "usd".
	Currency string `json:"currency"`
	// UnitAmount is in the smallest unit of the currency, such as cents.
	UnitAmount *int64 `json:"unit_amount"`
	// Product is the id of a product at Stripe. Either it or ProductData is given.
	Product     string       `json:"product"`
	ProductData *ProductData `json:"product_data"`
	// Recurring says how often, in ModeSubscription.
	Recurring *Recurring `json:"recurring"`
	// TaxBehavior is "inclusive", "exclusive" or "unspecified"; empty leaves it to the
	// settings of the account.
	TaxBehavior string `json:"tax_behavior"`
}

// ProductData is a product that exists for one checkout only.
type ProductData struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Images      []string          `json:"images"` // URLs, 8 at most
	Metadata    map[string]string `json:"metadata"`
	TaxCode     string            `json:"tax_code"`
}

// Recurring is how often a subscription is paid.
type Recurring struct {
	// Interval is "day", "week", "month" or "year".
	Interval string `json:"interval"`
	// IntervalCount is how many of them, 1 where it is 0.
	IntervalCount int64 `json:"interval_count"`
}

// Checkout makes a session of Stripe Checkout, to whose URL the customer is sent.
// With a user it is that user's own customer of Stripe who pays, made where there is
// none yet. Stripe's answer as it came is in its LastResponse.RawJSON.
//
// A request that cannot be right is a *[service.Problem] with status 400 that names
// the field; what Stripe says is a *[StripeError]. Interceptors of [CheckingOut] may
// change or refuse it.
func (s *Service) Checkout(ctx context.Context, r CheckoutRequest) (*stripe.CheckoutSession, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := ask(ctx, s, &CheckingOut{Request: &r}); err != nil {
		return nil, err
	}
	if r.User == nil {
		return s.checkout(ctx, r, "")
	}
	var session *stripe.CheckoutSession
	err := s.withCustomer(ctx, *r.User, r.Email, func(customer string) (err error) {
		session, err = s.checkout(ctx, r, customer)
		return err
	})
	return session, err
}

// checkout makes the session for a customer; "" is a guest.
func (s *Service) checkout(ctx context.Context, r CheckoutRequest, customer string) (*stripe.CheckoutSession, error) {
	p := r.params()
	if customer == "" {
		p.CustomerEmail = &r.Email
	} else {
		p.Customer = &customer
		if reference := r.User.key(); len(reference) <= maxReference {
			p.ClientReferenceID = &reference
		}
	}
	return call(ctx, s, "create a checkout session", func(ctx context.Context) (*stripe.CheckoutSession, error) {
		p.Params = params(ctx, derivedKey(r.IdempotencyKey, "checkout", userKey(r.User), customer))
		return s.stripe.CheckoutSessions.New(p)
	})
}

// userKey is the key of a user, empty for a guest.
func userKey(u *User) string {
	if u == nil {
		return ""
	}
	return u.key()
}

// params are those of the session, without the customer.
func (r CheckoutRequest) params() *stripe.CheckoutSessionParams {
	mode, metadata := string(r.Mode), withUser(r.Metadata, r.User)
	p := &stripe.CheckoutSessionParams{Mode: &mode, SuccessURL: &r.SuccessURL, CancelURL: &r.CancelURL, Metadata: metadata}
	for _, line := range r.Linedata {
		p.LineItems = append(p.LineItems, line.params())
	}
	switch r.Mode {
	case ModePayment:
		p.PaymentIntentData = &stripe.CheckoutSessionPaymentIntentDataParams{Metadata: metadata}
	case ModeSubscription:
		p.SubscriptionData = &stripe.CheckoutSessionSubscriptionDataParams{Metadata: metadata}
	case ModeSetup:
		p.SetupIntentData = &stripe.CheckoutSessionSetupIntentDataParams{Metadata: metadata}
		p.PaymentMethodTypes = []*string{stripe.String("card")} // or Stripe asks for a currency
	}
	return p
}

func (l Line) params() *stripe.CheckoutSessionLineItemParams {
	p := &stripe.CheckoutSessionLineItemParams{Price: optional(l.Price), Quantity: l.Quantity}
	if l.PriceData == nil {
		return p
	}
	d := l.PriceData
	p.PriceData = &stripe.CheckoutSessionLineItemPriceDataParams{
		Currency: &d.Currency, UnitAmount: d.UnitAmount, Product: optional(d.Product), TaxBehavior: optional(d.TaxBehavior),
	}
	if d.Recurring != nil {
		p.PriceData.Recurring = &stripe.CheckoutSessionLineItemPriceDataRecurringParams{
			Interval: &d.Recurring.Interval, IntervalCount: optional(d.Recurring.IntervalCount),
		}
	}
	if product := d.ProductData; product != nil {
		p.PriceData.ProductData = &stripe.CheckoutSessionLineItemPriceDataProductDataParams{
			Name: &product.Name, Description: optional(product.Description), TaxCode: optional(product.TaxCode),
			Images: stripe.StringSlice(product.Images), Metadata: product.Metadata,
		}
	}
	return p
}

// withUser returns the metadata of a client with the user added.
func withUser(metadata map[string]string, user *User) map[string]string {
	if user == nil {
		return metadata
	}
	out := maps.Clone(metadata)
	if out == nil {
		out = map[string]string{}
	}
	out[metadataUser] = user.key()
	return out
}

// check says which field is wrong.
func (r CheckoutRequest) check() error {
	switch r.Mode {
	case ModePayment, ModeSubscription, ModeSetup:
	case "":
		return service.Invalid("mode", "is missing")
	default:
		return service.Invalid("mode", "must be payment, subscription or setup")
	}
	for _, err := range []error{
		checkURL("success_url", r.SuccessURL), checkURL("cancel_url", r.CancelURL), checkEmail(r.Email),
		checkLines(r.Mode, r.Linedata), checkMetadata("metadata", r.Metadata, r.User), checkUser(r.User), checkIdempotencyKey(r.IdempotencyKey),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkLines(mode Mode, lines []Line) error {
	switch {
	case mode == ModeSetup && len(lines) > 0:
		return service.Invalid("linedata", "is not for the mode setup")
	case mode == ModeSetup:
		return nil
	case len(lines) == 0:
		return service.Invalid("linedata", "is missing")
	case len(lines) > maxLines:
		return service.Invalid("linedata", fmt.Sprintf("has more than %d lines", maxLines))
	}
	for i, line := range lines {
		if err := line.check(fmt.Sprintf("linedata[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (l Line) check(path string) error {
	switch {
	case l.Price == "" && l.PriceData == nil:
		return service.Invalid(path+".price", "is missing, and so is price_data")
	case l.Price != "" && l.PriceData != nil:
		return service.Invalid(path+".price_data", "is given beside price")
	case l.Quantity != nil && *l.Quantity < 1:
		return service.Invalid(path+".quantity", "must be at least 1")
	case l.PriceData != nil:
		return l.PriceData.check(path + ".price_data")
	}
	return nil
}

func (d PriceData) check(path string) error {
	switch {
	case d.Currency == "":
		return service.Invalid(path+".currency", "is missing")
	case d.UnitAmount == nil:
		return service.Invalid(path+".unit_amount", "is missing")
	case *d.UnitAmount < 0:
		return service.Invalid(path+".unit_amount", "must not be negative")
	case d.Product == "" && d.ProductData == nil:
		return service.Invalid(path+".product_data", "is missing, and so is product")
	case d.Product != "" && d.ProductData != nil:
		return service.Invalid(path+".product_data", "is given beside product")
	case d.Recurring != nil && d.Recurring.Interval == "":
		return service.Invalid(path+".recurring.interval", "is missing")
	case d.ProductData == nil:
		return nil
	case d.ProductData.Name == "":
		return service.Invalid(path+".product_data.name", "is missing")
	}
	return checkMetadata(path+".product_data.metadata", d.ProductData.Metadata, nil)
}

// checkURL accepts where a browser may be sent: nothing that runs in the page, nothing
// that is read differently by others.
func checkURL(field, text string) error {
	if text == "" {
		return service.Invalid(field, "is missing")
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		len(text) > maxURL || !clean(text) || strings.ContainsAny(text, " \\") {
		return service.Invalid(field, "must be an absolute http or https URL")
	}
	return nil
}

func checkEmail(email string) error {
	switch {
	case email == "":
		return service.Invalid("email", "is missing")
	case len(email) > maxEmail || !strings.Contains(email, "@") || strings.ContainsAny(email, " <>,;") || !clean(email):
		return service.Invalid("email", "must be an email address")
	}
	return nil
}

// checkMetadata holds metadata to Stripe's bounds, and to ours.
func checkMetadata(field string, metadata map[string]string, user *User) error {
	if n := len(withUser(metadata, user)); n > maxMetadata {
		return service.Invalid(field, fmt.Sprintf("has more than %d names, that of the user included", maxMetadata))
	}
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		switch value := metadata[name]; {
		case strings.HasPrefix(strings.ToLower(name), reservedPrefix):
			return service.Invalid(field, "has a name that begins with "+reservedPrefix)
		case name == "" || utf8.RuneCountInString(name) > maxMetadataName || strings.ContainsAny(name, "[]") || !clean(name):
			return service.Invalid(field, fmt.Sprintf("has a name that is not 1 to %d characters without square brackets", maxMetadataName))
		case utf8.RuneCountInString(value) > maxMetadataValue:
			return service.Invalid(field, fmt.Sprintf("has a value of more than %d characters", maxMetadataValue))
		}
	}
	return nil
}

func checkUser(user *User) error {
	if user == nil {
		return nil
	}
	if err := user.check(); err != nil {
		return service.Invalid("user", "must have an id, and bounded, printable text in it")
	}
	return nil
}

// checkIdempotencyKey accepts what Stripe would.
func checkIdempotencyKey(key string) error {
	if len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return service.Invalid("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
	}
	return nil
}
