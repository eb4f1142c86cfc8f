package payment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/service"
)

// Cancel ends a subscription when what is paid for is over; until then it stays
// active, and can be resumed. Like all that changes a subscription it updates our
// records at once, and returns [ErrNoSubscription] for one that is over, or a
// *[StripeError]; and it takes any subscription of the account: whether an id that a
// browser sends is one of its user's, [Service.Subscriptions] says.
func (s *Service) Cancel(ctx context.Context, id string) (Subscription, error) {
	return s.update(ctx, id, "cancel a subscription", &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)})
}

// CancelNow ends a subscription at once. Nothing is paid back: see [Service.Refund].
func (s *Service) CancelNow(ctx context.Context, id string) (Subscription, error) {
	if err := checkID(id); err != nil {
		return Subscription{}, err
	}
	return s.change(ctx, "", id, "cancel a subscription now", func(ctx context.Context) (*stripe.Subscription, error) {
		return s.stripe.Subscriptions.Cancel(id, &stripe.SubscriptionCancelParams{Params: params(ctx, "")})
	})
}

// Resume takes back that a subscription is to be cancelled, and ends a pause. It
// changes nothing where there is nothing to resume.
func (s *Service) Resume(ctx context.Context, id string) (Subscription, error) {
	if err := checkID(id); err != nil {
		return Subscription{}, err
	}
	now, err := s.refresh(ctx, "", id)
	if err == nil && now.over() {
		return Subscription{}, ErrNoSubscription
	}
	if err != nil || now.CancelAt.IsZero() && now.Status != string(stripe.SubscriptionStatusPaused) {
		return now, err
	}
	if now.Status == string(stripe.SubscriptionStatusPaused) {
		return s.change(ctx, "", id, "resume a subscription", func(ctx context.Context) (*stripe.Subscription, error) {
			return s.stripe.Subscriptions.Resume(id, &stripe.SubscriptionResumeParams{Params: params(ctx, "")})
		})
	}
	now, err = s.update(ctx, id, "resume a subscription", &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(false)})
	if err != nil || now.CancelAt.IsZero() {
		return now, err
	}
	// It ends at a date. The portal says so too, where a subscription is billed in
	// Stripe's flexible mode. Stripe takes one of both parameters only.
	undated := &stripe.SubscriptionParams{}
	undated.AddExtra("cancel_at", "")
	return s.update(ctx, id, "resume a subscription", undated)
}

// Proration is what becomes of what is paid already when prices change.
type Proration string

// The kinds of proration, in Stripe's words.
const (
	// ProrateNext puts the difference on the next invoice.
	ProrateNext Proration = "create_prorations"
	// ProrateNow makes an invoice of the difference at once.
	ProrateNow Proration = "always_invoice"
	// ProrateNever lets the new prices count from the next period on.
	ProrateNever Proration = "none"
)

// SwapRequest is what [Service.Swap] changes.
type SwapRequest struct {
	// Items are what is subscribed to from now on, 1 to 20: nothing else stays. A
	// nil Quantity leaves that of the item it replaces.
	Items []Item
	// Proration is what becomes of what is paid already. Defaults to ProrateNext.
	Proration Proration
	// IdempotencyKey is as in [CheckoutRequest].
	IdempotencyKey string
}

// Swap changes the prices of a subscription: an upgrade, a downgrade. Items whose price
// stays are kept, others take the place of those that go. Where nothing is to change
// Stripe is not asked to.
func (s *Service) Swap(ctx context.Context, id string, r SwapRequest) (Subscription, error) {
	if err := checkID(id); err != nil {
		return Subscription{}, err
	}
	if err := checkItems("items", r.Items); err != nil {
		return Subscription{}, err
	}
	if err := checkIdempotencyKey(r.IdempotencyKey); err != nil {
		return Subscription{}, err
	}
	now, err := s.refresh(ctx, "", id)
	if err != nil || !now.over() && same(now.Items, r.Items) {
		return now, err
	}
	return s.update(ctx, id, "change the prices of a subscription", &stripe.SubscriptionParams{
		Params: params(ctx, derivedKey(r.IdempotencyKey, "swap", id)),
		Items:  swapped(now.Items, r.Items), ProrationBehavior: stripe.String(string(cmp.Or(r.Proration, ProrateNext))),
	})
}

// same reports whether a subscription, which has a price once at most, has what is
// wanted already.
func same(have []SubscriptionItem, want []Item) bool {
	return len(have) == len(want) && !slices.ContainsFunc(have, func(item SubscriptionItem) bool {
		return !slices.ContainsFunc(want, func(w Item) bool {
			return w.Price == item.Price && (w.Quantity == nil || *w.Quantity == item.Quantity)
		})
	})
}

// swapped says how to come from one list of items to another.
func swapped(have []SubscriptionItem, want []Item) []*stripe.SubscriptionItemsParams {
	out := make([]*stripe.SubscriptionItemsParams, len(want))
	taken := map[string]bool{}
	take := func(i int, fits func(SubscriptionItem) bool) {
		for _, item := range have {
			if out[i].ID == nil && !taken[item.ID] && fits(item) {
				out[i].ID, taken[item.ID] = &item.ID, true
			}
		}
	}
	for i, item := range want {
		out[i] = &stripe.SubscriptionItemsParams{Price: &item.Price, Quantity: item.Quantity}
		take(i, func(old SubscriptionItem) bool { return old.Price == item.Price })
	}
	for i := range want {
		take(i, func(SubscriptionItem) bool { return true })
	}
	for _, item := range have {
		if !taken[item.ID] {
			out = append(out, &stripe.SubscriptionItemsParams{ID: &item.ID, Deleted: stripe.Bool(true)})
		}
	}
	return out
}

// update changes a subscription at Stripe and in our records.
func (s *Service) update(ctx context.Context, id, op string, p *stripe.SubscriptionParams) (Subscription, error) {
	if err := checkID(id); err != nil {
		return Subscription{}, err
	}
	sub, err := s.change(ctx, "", id, op, func(ctx context.Context) (*stripe.Subscription, error) {
		p.Context = ctx
		return s.stripe.Subscriptions.Update(id, p)
	})
	if e, ok := errors.AsType[*StripeError](err); ok && e.Status == http.StatusBadRequest {
		// Stripe has no code for a subscription that has ended.
		if now, fetching := s.refresh(ctx, "", id); fetching == nil && now.over() {
			return Subscription{}, fmt.Errorf("%w: %w", ErrNoSubscription, err)
		}
	}
	return sub, err
}

// checkID says whether a text can be the id of one of Stripe's objects.
func checkID(id string) error {
	if !idPattern.MatchString(id) {
		return service.Invalid("id", "must be an id of Stripe")
	}
	return nil
}
