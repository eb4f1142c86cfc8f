package payment

import (
	"cmp"
	"context"
	"fmt"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/service"
)

const (
	// DefaultDue is how many days there are to pay an invoice of a subscription.
	DefaultDue = 7
	// maxItems is how many items a subscription has at Stripe.
	maxItems = 20
	// maxDue is in days.
	maxDue = 365
)

// SubscribeRequest is what [Service.Subscribe] asks of Stripe.
type SubscribeRequest struct {
	// Email is where the invoices go.
	Email string `json:"email"`
	// Items are what is subscribed to, 1 to 20.
	Items []Item `json:"items"`
	// Due is how many days there are to pay an invoice, 365 at most. Defaults to
	// DefaultDue.
	Due int64 `json:"due"`
	// Metadata is kept with the subscription, as that of [CheckoutRequest] is.
	Metadata map[string]string `json:"metadata"`
	// User is who subscribes; for nil a new customer is made.
	User *User `json:"user"`
	// IdempotencyKey is as in [CheckoutRequest].
	IdempotencyKey string `json:"-"`
}

// Item is a price of a subscription, and how many of it.
type Item struct {
	// Price is the id of a recurring price at Stripe.
	Price string `json:"price"`
	// Quantity is how many, at least 1; nil for 1, and for a price that is metered.
	Quantity *int64 `json:"quantity"`
}

// Subscribe makes a subscription that is paid by invoice: Stripe mails one each
// period, and the customer has Due days to pay it. A subscription that charges a card
// begins with [Service.Checkout]. Errors are as there; interceptors are those of
// [Subscribing].
//
// Without a user each call makes a customer, which Stripe keeps also where it then
// refuses the subscription; give an IdempotencyKey to calls that may be repeated.
func (s *Service) Subscribe(ctx context.Context, r SubscribeRequest) (*stripe.Subscription, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := ask(ctx, s, &Subscribing{Request: &r}); err != nil {
		return nil, err
	}
	if r.User == nil {
		customer, err := s.newGuest(ctx, r)
		if err != nil {
			return nil, err
		}
		return s.subscribe(ctx, r, customer)
	}
	var subscription *stripe.Subscription
	err := s.withCustomer(ctx, *r.User, r.Email, func(customer string) (err error) {
		subscription, err = s.subscribe(ctx, r, customer)
		return err
	})
	return subscription, err
}

// newGuest makes a customer who is no user of ours.
func (s *Service) newGuest(ctx context.Context, r SubscribeRequest) (string, error) {
	customer, err := call(ctx, s, "create a customer", func(ctx context.Context) (*stripe.Customer, error) {
		return s.stripe.Customers.New(&stripe.CustomerParams{
			Params: params(ctx, derivedKey(r.IdempotencyKey, "subscription customer")), Email: &r.Email,
		})
	})
	if err != nil {
		return "", err
	}
	return customer.ID, nil
}

func (s *Service) subscribe(ctx context.Context, r SubscribeRequest, customer string) (*stripe.Subscription, error) {
	p := &stripe.SubscriptionParams{
		Customer: &customer, DaysUntilDue: stripe.Int64(cmp.Or(r.Due, DefaultDue)), Metadata: withUser(r.Metadata, r.User),
		CollectionMethod: stripe.String(string(stripe.SubscriptionCollectionMethodSendInvoice)),
	}
	for _, item := range r.Items {
		p.Items = append(p.Items, &stripe.SubscriptionItemsParams{Price: &item.Price, Quantity: item.Quantity})
	}
	subscription, err := call(ctx, s, "create a subscription", func(ctx context.Context) (*stripe.Subscription, error) {
		p.Params = params(ctx, derivedKey(r.IdempotencyKey, "subscription", userKey(r.User), customer))
		return s.stripe.Subscriptions.New(p)
	})
	if err == nil {
		s.recordNew(ctx, subscription)
	}
	return subscription, err
}

// check says which field is wrong.
func (r SubscribeRequest) check() error {
	if err := checkEmail(r.Email); err != nil {
		return err
	}
	if err := checkItems("items", r.Items); err != nil {
		return err
	}
	if r.Due < 0 || r.Due > maxDue {
		return service.Invalid("due", fmt.Sprintf("must be 1 to %d days", maxDue))
	}
	for _, err := range []error{checkMetadata("metadata", r.Metadata, r.User), checkUser(r.User), checkIdempotencyKey(r.IdempotencyKey)} {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkItems(field string, items []Item) error {
	if len(items) == 0 {
		return service.Invalid(field, "is missing")
	}
	if len(items) > maxItems {
		return service.Invalid(field, fmt.Sprintf("has more than %d items", maxItems))
	}
	for i, item := range items {
		if item.Price == "" {
			return service.Invalid(fmt.Sprintf("%s[%d].price", field, i), "is missing")
		}
		if item.Quantity != nil && *item.Quantity < 1 {
			return service.Invalid(fmt.Sprintf("%s[%d].quantity", field, i), "must be at least 1")
		}
	}
	return nil
}
