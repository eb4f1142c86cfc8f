package paymenttest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	stripe "github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func TestCustomers(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ada := must(b.sdk.Customers.New(&stripe.CustomerParams{
		Email: stripe.String("ada@example.com"), Name: stripe.String("Ada"), Metadata: map[string]string{"user": "u1", "team": "a"},
	}))(t)
	must(b.sdk.Customers.New(&stripe.CustomerParams{Email: stripe.String("eve@example.com")}))(t)
	got := must(b.sdk.Customers.Update(ada.ID, &stripe.CustomerParams{Metadata: map[string]string{"team": "", "plan": "x"}}))(t)
	if diff := cmp.Diff(map[string]string{"user": "u1", "plan": "x"}, got.Metadata); diff != "" || got.Name != "Ada" {
		t.Fatal(diff, got.Name)
	}
	if i := b.sdk.Customers.List(&stripe.CustomerListParams{Email: stripe.String("ada@example.com")}); !i.Next() || i.Customer().ID != ada.ID || i.Next() {
		t.Fatal(i.Err())
	}
	if gone := must(b.sdk.Customers.Del(ada.ID, nil))(t); !gone.Deleted {
		t.Fatalf("%+v", gone)
	}
	if got := must(b.sdk.Customers.Get(ada.ID, nil))(t); !got.Deleted {
		t.Fatalf("%+v", got)
	}
	_, err := b.sdk.Customers.Get("cus_x", nil)
	if e := failure(t, err); e.HTTPStatusCode != 404 || e.Code != "resource_missing" || e.Param != "id" {
		t.Fatalf("%+v", e)
	}
	_, err = b.sdk.CheckoutSessions.New(cart("payment", "price_mug", func(p *stripe.CheckoutSessionParams) { p.Customer = stripe.String(ada.ID) }))
	if e := failure(t, err); e.Code != "resource_missing" || e.Param != "customer" {
		t.Fatalf("%+v", e)
	}
}

func TestProductsAndPrices(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	product := must(b.sdk.Products.New(&stripe.ProductParams{Name: stripe.String("Hat")}))(t)
	made := must(b.sdk.Prices.New(&stripe.PriceParams{
		Product: stripe.String(product.ID), Currency: stripe.String("eur"), UnitAmount: stripe.Int64(700), LookupKey: stripe.String("hat"),
		Recurring: &stripe.PriceRecurringParams{Interval: stripe.String("month"), IntervalCount: stripe.Int64(3)},
	}))(t)
	params := &stripe.PriceParams{}
	params.AddExpand("product")
	got := must(b.sdk.Prices.Get(made.ID, params))(t)
	if got.Product.Name != "Hat" || got.UnitAmount != 700 || got.UnitAmountDecimal != 700 || got.Type != "recurring" || got.Recurring.IntervalCount != 3 {
		t.Fatalf("%+v", got)
	}
	if i := b.sdk.Prices.List(&stripe.PriceListParams{LookupKeys: stripe.StringSlice([]string{"hat"})}); !i.Next() || i.Price().ID != made.ID || i.Next() {
		t.Fatal(i.Err())
	}
	if i := b.sdk.Products.List(&stripe.ProductListParams{Active: stripe.Bool(true)}); !i.Next() || i.Product().ID != product.ID {
		t.Fatal(i.Err())
	}
	_, err := b.sdk.Prices.New(&stripe.PriceParams{Product: stripe.String("prod_x"), Currency: stripe.String("eur"), UnitAmount: stripe.Int64(1)})
	if e := failure(t, err); e.Code != "resource_missing" || e.Param != "product" {
		t.Fatalf("%+v", e)
	}
	_, err = b.sdk.Prices.New(&stripe.PriceParams{Product: stripe.String(product.ID), UnitAmount: stripe.Int64(1)})
	if e := failure(t, err); e.Code != "parameter_missing" || e.Param != "currency" {
		t.Fatalf("%+v", e)
	}
}

func TestAddPriceAgainReplaces(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.AddPrice(paymenttest.Price{ID: "price_mug", Product: "Mug", Amount: 1})
	if got := must(b.sdk.Prices.Get("price_mug", nil))(t); got.UnitAmount != 1 || got.Currency != "usd" {
		t.Fatalf("%+v", got)
	}
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("payment", "price_mug"))
	if err := b.CompleteCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	pi := b.session(t, made.ID).PaymentIntent
	refund := func(amount int64) (*stripe.Refund, error) {
		params := &stripe.RefundParams{PaymentIntent: stripe.String(pi.ID)}
		if amount > 0 {
			params.Amount = stripe.Int64(amount)
		}
		return b.sdk.Refunds.New(params)
	}
	part := must(refund(200))(t)
	if part.Amount != 200 || part.Status != "succeeded" || part.Charge.ID != pi.LatestCharge.ID {
		t.Fatalf("%+v", part)
	}
	_, err := refund(1001)
	if e := failure(t, err); e.HTTPStatusCode != 400 || e.Param != "amount" {
		t.Fatalf("%+v", e)
	}
	if rest := must(refund(0))(t); rest.Amount != 1000 {
		t.Fatalf("%+v", rest)
	}
	_, err = refund(0)
	if e := failure(t, err); e.Code != "charge_already_refunded" {
		t.Fatalf("%+v", e)
	}
	params := &stripe.ChargeParams{}
	params.AddExpand("refunds")
	charge := must(b.sdk.Charges.Get(pi.LatestCharge.ID, params))(t)
	if !charge.Refunded || charge.AmountRefunded != 1200 || len(charge.Refunds.Data) != 2 {
		t.Fatalf("%+v", charge)
	}
	if got := must(b.sdk.Refunds.Get(part.ID, nil))(t); got.Amount != 200 {
		t.Fatalf("%+v", got)
	}
	n := 0
	for i := b.sdk.Refunds.List(&stripe.RefundListParams{PaymentIntent: stripe.String(pi.ID)}); i.Next(); {
		n++
	}
	if told := len(ids(b.Events(), "charge.refunded")); n != 2 || told != 2 {
		t.Fatal(n, told)
	}
}

func TestRefundOfWhatWasNotPaid(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := must(b.sdk.Subscriptions.New(order(b.customer(t, "pm_card_chargeDeclined"), "price_basic")))(t)
	_, err := b.sdk.Refunds.New(&stripe.RefundParams{PaymentIntent: stripe.String(sub.LatestInvoice.PaymentIntent.ID)})
	if e := failure(t, err); e.Code != "payment_intent_unexpected_state" {
		t.Fatalf("%+v", e)
	}
	_, err = b.sdk.Refunds.New(&stripe.RefundParams{})
	if e := failure(t, err); e.Code != "parameter_missing" {
		t.Fatalf("%+v", e)
	}
	_, err = b.sdk.Refunds.New(&stripe.RefundParams{Charge: stripe.String("ch_x")})
	if e := failure(t, err); e.Code != "resource_missing" || e.Param != "charge" {
		t.Fatalf("%+v", e)
	}
}

func TestInvoices(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	bad := must(b.sdk.Subscriptions.New(order(b.customer(t, "pm_card_chargeDeclined"), "price_basic")))(t)
	customer := b.customer(t, "")
	open := must(b.sdk.Subscriptions.New(order(customer, "price_basic", func(p *stripe.SubscriptionParams) {
		p.CollectionMethod, p.DaysUntilDue = stripe.String("send_invoice"), stripe.Int64(7)
	})))(t)
	if i := b.sdk.Invoices.List(&stripe.InvoiceListParams{Customer: stripe.String(customer.ID), Status: stripe.String("open")}); !i.Next() ||
		i.Invoice().ID != open.LatestInvoice.ID || i.Invoice().Lines.Data[0].Price.ID != "price_basic" || i.Next() {
		t.Fatal(i.Err())
	}
	if i := b.sdk.Invoices.List(&stripe.InvoiceListParams{Subscription: stripe.String(bad.ID)}); !i.Next() || i.Invoice().Subscription.ID != bad.ID || i.Next() {
		t.Fatal(i.Err())
	}
	if got := must(b.sdk.Invoices.VoidInvoice(open.LatestInvoice.ID, nil))(t); got.Status != "void" {
		t.Fatalf("%+v", got)
	}
	if _, err := b.sdk.Invoices.VoidInvoice(open.LatestInvoice.ID, nil); failure(t, err).HTTPStatusCode != 400 {
		t.Fatal(err)
	}
	if _, err := b.sdk.Invoices.Pay(open.LatestInvoice.ID, nil); failure(t, err).HTTPStatusCode != 400 {
		t.Fatal(err)
	}
	if err := b.PayInvoice(t.Context(), bad.LatestInvoice.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.current(t, bad.ID); got.Status != "active" {
		t.Fatalf("%+v", got)
	}
}

func TestInvoiceOfABadCardIsDeclined(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	customer := b.customer(t, "")
	sub := must(b.sdk.Subscriptions.New(order(customer, "price_basic", func(p *stripe.SubscriptionParams) {
		p.DefaultPaymentMethod = stripe.String("pm_card_chargeDeclined")
	})))(t)
	_, err := b.sdk.Invoices.Pay(sub.LatestInvoice.ID, nil)
	if e := failure(t, err); e.HTTPStatusCode != 402 || e.Code != "card_declined" {
		t.Fatalf("%+v", e)
	}
	if got := b.current(t, sub.ID).LatestInvoice.AttemptCount; got != 2 {
		t.Fatal(got)
	}
}

func TestUpcomingInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	before := len(b.Events())
	got := must(b.sdk.Invoices.Upcoming(&stripe.InvoiceUpcomingParams{Customer: stripe.String(sub.Customer.ID)}))(t)
	if got.Total != 900 || got.Status != "draft" || got.PeriodStart != sub.CurrentPeriodEnd || len(b.Events()) != before {
		t.Fatalf("%+v", got)
	}
	if again := must(b.sdk.Invoices.Upcoming(&stripe.InvoiceUpcomingParams{Subscription: stripe.String(sub.ID)}))(t); again.Total != 900 {
		t.Fatalf("%+v", again)
	}
	must(b.sdk.Subscriptions.Cancel(sub.ID, nil))(t)
	_, err := b.sdk.Invoices.Upcoming(&stripe.InvoiceUpcomingParams{Customer: stripe.String(sub.Customer.ID)})
	if e := failure(t, err); e.HTTPStatusCode != 404 || e.Code != "invoice_upcoming_none" {
		t.Fatalf("%+v", e)
	}
}

func TestEventsAreListed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.running(t, "price_basic")
	list := func(params *stripe.EventListParams) []string {
		params.Limit = stripe.Int64(2)
		var types []string
		i := b.sdk.Events.List(params)
		for i.Next() {
			types = append(types, string(i.Event().Type))
		}
		if i.Err() != nil {
			t.Fatal(i.Err())
		}
		return types
	}
	if n := len(list(&stripe.EventListParams{})); n != len(b.Events()) || n < 7 {
		t.Fatal(n)
	}
	if diff := cmp.Diff([]string{"invoice.paid"}, list(&stripe.EventListParams{Type: stripe.String("invoice.paid")})); diff != "" {
		t.Fatal(diff)
	}
	want := []string{"invoice.paid", "customer.created"}
	if diff := cmp.Diff(want, list(&stripe.EventListParams{Types: stripe.StringSlice([]string{"customer.created", "invoice.paid"})})); diff != "" {
		t.Fatal(diff)
	}
	after := &stripe.EventListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThan: b.clock.Now().Unix()}}
	if got := list(after); len(got) != 0 {
		t.Fatal(got)
	}
	since := &stripe.EventListParams{Types: []*string{stripe.String("invoice.paid")}}
	since.EndingBefore = stripe.String(b.Events()[0].ID) // which is of another type
	if diff := cmp.Diff([]string{"invoice.paid"}, list(since)); diff != "" {
		t.Fatal(diff)
	}
}

func TestPropertyThatCanNotBeExpanded(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	params := &stripe.CustomerParams{}
	params.AddExpand("nonsense")
	_, err := b.sdk.Customers.New(params)
	if e := failure(t, err); e.HTTPStatusCode != 400 || e.Param != "expand" {
		t.Fatalf("%+v", e)
	}
}
