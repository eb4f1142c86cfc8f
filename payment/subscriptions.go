package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// ErrNoSubscription is returned where Stripe has no such subscription, or it has ended
// so that nothing can be changed any more.
var ErrNoSubscription = errors.New("payment: there is no such subscription, or it has ended")

// Subscription is a subscription as Stripe last told us. Times are zero where there
// is none.
type Subscription struct {
	// ID is the subscription's id at Stripe.
	ID string `bson:"-" json:"id"`
	// User is whose it is, nobody where our records have none for the customer.
	User User `bson:"-" json:"user,omitzero"`
	// Customer is the customer's id at Stripe.
	Customer string `bson:"customer" json:"customer"`
	// Status is Stripe's word: "active", "trialing", "past_due", "unpaid",
	// "incomplete", "incomplete_expired", "paused" or "canceled".
	Status string `bson:"status" json:"status"`
	// Items are what is subscribed to.
	Items []SubscriptionItem `bson:"items" json:"items"`
	// PeriodStart and PeriodEnd are what is paid for at present.
	PeriodStart time.Time `bson:"period_start" json:"period_start,omitzero"`
	PeriodEnd   time.Time `bson:"period_end" json:"period_end,omitzero"`
	// TrialEnd is when the trial ends or ended.
	TrialEnd time.Time `bson:"trial_end" json:"trial_end,omitzero"`
	// CancelAt is when it will end, CanceledAt when that was decided, EndedAt when it
	// did end.
	CancelAt   time.Time `bson:"cancel_at" json:"cancel_at,omitzero"`
	CanceledAt time.Time `bson:"canceled_at" json:"canceled_at,omitzero"`
	EndedAt    time.Time `bson:"ended_at" json:"ended_at,omitzero"`
	// Sequence grows each time that it is fetched for our records: of two states of one
	// subscription, that with the greater Sequence is the later.
	Sequence int64 `bson:"-" json:"sequence"`
	// Created is when it was made.
	Created time.Time `bson:"created" json:"created,omitzero"`
	// Livemode says that it is about real money, Account which connected account it is
	// in, empty for one's own.
	Livemode bool   `bson:"livemode" json:"livemode"`
	Account  string `bson:"account,omitempty" json:"account,omitempty"`
	// Metadata is what was given at its making, without the names of the service's own.
	Metadata map[string]string `bson:"-" json:"metadata,omitempty"`
}

// SubscriptionItem is a price that is subscribed to.
type SubscriptionItem struct {
	ID       string `bson:"id" json:"id"`
	Price    string `bson:"price" json:"price"`
	Product  string `bson:"product,omitempty" json:"product,omitempty"`
	Quantity int64  `bson:"quantity" json:"quantity"`
}

// Prices returns the ids of the prices that are subscribed to.
func (s Subscription) Prices() []string {
	prices := make([]string, len(s.Items))
	for i, item := range s.Items {
		prices[i] = item.Price
	}
	return prices
}

// ActiveAt reports whether what was subscribed to is to be had at a time: the status
// is active or trialing, and its end has not come. One that is past due is not
// active, though Stripe still tries to get the money. One that is paid by invoice is
// active from its beginning, until an invoice is overdue.
func (s Subscription) ActiveAt(now time.Time) bool {
	if s.Status != string(stripe.SubscriptionStatusActive) && s.Status != string(stripe.SubscriptionStatusTrialing) {
		return false
	}
	return s.CancelAt.IsZero() || now.Before(s.CancelAt)
}

// over reports whether it has ended for good.
func (s Subscription) over() bool {
	return s.Status == string(stripe.SubscriptionStatusCanceled) || s.Status == string(stripe.SubscriptionStatusIncompleteExpired)
}

// subscriptionRecord is a subscription in the database.
//
// Whoever fetches one takes a ticket first, and writes what came only where nobody
// with a later ticket has written. A later ticket means a later fetch, so it saw at
// least all that had happened when the earlier ticket was taken: events that come in
// any order, at once and on several instances, leave the true state, by no clock.
type subscriptionRecord struct {
	ID     string             `bson:"_id"`
	Ticket int64              `bson:"ticket"`
	Fields subscriptionFields `bson:",inline"`
}

// subscriptionFields are what is written of a subscription each time.
type subscriptionFields struct {
	Subscription `bson:",inline"`

	Owner   string `bson:"user,omitempty"` // User.key; once known it stays
	Pairs   []pair `bson:"metadata"`       // whose names may be none that a field can have
	Written int64  `bson:"written"`        // the ticket of who wrote last
}

type pair struct {
	Name  string `bson:"name"`
	Value string `bson:"value"`
}

func (s *Service) subscriptions() *mongo.Collection { return durable(s.db, SubscriptionsCollection) }

// IsSubscribed reports whether the user has a subscription that is active: to any of
// the prices, or to anything where none is given. It goes by our own records, which
// follow Stripe by webhooks: see [Subscription.ActiveAt]. It costs one read.
func (s *Service) IsSubscribed(ctx context.Context, user User, prices ...string) (bool, error) {
	subscriptions, err := s.Subscriptions(ctx, user)
	if err != nil {
		return false, err
	}
	now := s.now()
	return slices.ContainsFunc(subscriptions, func(sub Subscription) bool {
		return sub.ActiveAt(now) && (len(prices) == 0 ||
			slices.ContainsFunc(sub.Prices(), func(price string) bool { return slices.Contains(prices, price) }))
	}), nil
}

// Subscriptions returns all subscriptions of the user that our records have, those
// that have ended included, the newest first.
func (s *Service) Subscriptions(ctx context.Context, user User) ([]Subscription, error) {
	if err := user.check(); err != nil {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	cursor, err := s.subscriptions().Find(ctx, bson.D{{Key: "user", Value: user.key()}})
	if err != nil {
		return nil, fmt.Errorf("payment: reading subscriptions: %w", err)
	}
	var records []subscriptionRecord
	if err := cursor.All(ctx, &records); err != nil {
		return nil, fmt.Errorf("payment: reading subscriptions: %w", err)
	}
	out := make([]Subscription, len(records))
	for i, record := range records {
		out[i] = record.subscription()
	}
	slices.SortStableFunc(out, func(a, b Subscription) int { return b.Created.Compare(a.Created) })
	return out, nil
}

// Sync fetches the subscriptions of the user from Stripe and brings our records up to
// date, for when webhooks were missed. It returns [ErrNoCustomer] for a user who is
// none.
func (s *Service) Sync(ctx context.Context, user User) error {
	customer, err := s.customerOf(ctx, user)
	if err != nil {
		return err
	}
	ids, err := call(ctx, s, "list subscriptions", func(ctx context.Context) ([]string, error) {
		p := &stripe.SubscriptionListParams{Customer: &customer, Status: stripe.String("all")}
		p.Context, p.Limit = ctx, stripe.Int64(maxPage)
		var ids []string
		list := s.stripe.Subscriptions.List(p)
		for list.Next() {
			ids = append(ids, list.Subscription().ID)
		}
		return ids, list.Err()
	})
	if err != nil {
		return err
	}
	recorded, err := s.Subscriptions(ctx, user)
	if err != nil {
		return err
	}
	for _, sub := range recorded { // those of a former customer are not listed
		if !slices.Contains(ids, sub.ID) && !sub.over() {
			ids = append(ids, sub.ID)
		}
	}
	for _, id := range ids {
		if _, err := s.refresh(ctx, "", id); err != nil && !errors.Is(err, ErrNoSubscription) {
			return err
		}
	}
	return nil
}

// maxPage is how much Stripe lists at once.
const maxPage = 100

// refresh fetches a subscription, records it and returns it.
func (s *Service) refresh(ctx context.Context, account, id string) (Subscription, error) {
	return s.change(ctx, account, id, "fetch a subscription", func(ctx context.Context) (*stripe.Subscription, error) {
		return s.stripe.Subscriptions.Get(id, &stripe.SubscriptionParams{Params: in(account, params(ctx, ""))})
	})
}

// change runs a call that returns the subscription, records what it returns and
// returns that.
func (s *Service) change(ctx context.Context, account, id, op string, fn func(context.Context) (*stripe.Subscription, error)) (Subscription, error) {
	ticket, err := s.takeTicket(ctx, id)
	if err != nil {
		return Subscription{}, err
	}
	now, err := call(ctx, s, op, fn)
	if missing(err, "id") || missing(err, "subscription") {
		return Subscription{}, errors.Join(s.recordGone(ctx, id, ticket), fmt.Errorf("%w: %w", ErrNoSubscription, err))
	}
	if err != nil {
		return Subscription{}, err
	}
	return s.recordSubscription(ctx, normal(now, account), ticket)
}

// takeTicket returns the next ticket of a subscription, and makes its record where
// there is none.
func (s *Service) takeTicket(ctx context.Context, id string) (int64, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	update := bson.D{
		{Key: "$inc", Value: bson.D{{Key: "ticket", Value: int64(1)}}},
		{Key: "$setOnInsert", Value: bson.D{{Key: "written", Value: int64(0)}}},
	}
	opts := options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)
	var record struct {
		Ticket int64 `bson:"ticket"`
	}
	find := func() error {
		return s.subscriptions().FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: id}}, update, opts).Decode(&record)
	}
	err := find()
	if mongo.IsDuplicateKeyError(err) { // two made the record at once
		err = find()
	}
	if err != nil {
		return 0, fmt.Errorf("payment: recording a subscription: %w", err)
	}
	return record.Ticket, nil
}

// recordSubscription writes a subscription that was fetched after a ticket was taken.
// Where what was fetched after a later one is written already, that stays. It returns
// what is written.
func (s *Service) recordSubscription(ctx context.Context, sub Subscription, ticket int64) (Subscription, error) {
	user, err := s.userOfCustomer(ctx, sub.Account, sub.Customer)
	if err != nil {
		return Subscription{}, err
	}
	fields := subscriptionFields{Subscription: sub, Pairs: []pair{}, Written: ticket}
	if !user.IsZero() {
		sub.User, fields.Owner = user, user.key()
	}
	for _, name := range slices.Sorted(maps.Keys(sub.Metadata)) {
		fields.Pairs = append(fields.Pairs, pair{Name: name, Value: sub.Metadata[name]})
	}
	sub.Sequence = ticket
	written, err := s.writeSubscription(ctx, sub.ID, ticket, fields)
	if err != nil || written {
		return sub, err
	}
	return s.readSubscription(ctx, sub.ID)
}

// readSubscription returns what our records have.
func (s *Service) readSubscription(ctx context.Context, id string) (Subscription, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var record subscriptionRecord
	if err := s.subscriptions().FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&record); err != nil {
		return Subscription{}, fmt.Errorf("payment: reading a subscription: %w", err)
	}
	return record.subscription(), nil
}

// writeSubscription sets fields of a record, unless the holder of a later ticket has,
// and reports whether it did.
func (s *Service) writeSubscription(ctx context.Context, id string, ticket int64, fields any) (bool, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	filter := bson.D{{Key: "_id", Value: id}, {Key: "written", Value: bson.D{{Key: "$lt", Value: ticket}}}}
	res, err := s.subscriptions().UpdateOne(ctx, filter, bson.D{{Key: "$set", Value: fields}})
	if err != nil {
		return false, fmt.Errorf("payment: recording a subscription: %w", err)
	}
	return res.MatchedCount > 0, nil
}

// recordGone records that Stripe knows no such subscription, or only as one that has
// ended.
func (s *Service) recordGone(ctx context.Context, id string, ticket int64) error {
	ended := bson.D{{Key: "status", Value: string(stripe.SubscriptionStatusCanceled)}, {Key: "written", Value: ticket}}
	if _, err := s.writeSubscription(ctx, id, ticket, ended); err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	never := bson.D{{Key: "_id", Value: id}, {Key: "customer", Value: bson.D{{Key: "$exists", Value: false}}}}
	if _, err := s.subscriptions().DeleteOne(ctx, never); err != nil {
		return fmt.Errorf("payment: recording a subscription: %w", err)
	}
	return nil
}

// recordNew records a subscription that was just made, unless its events were quicker.
// That it fails is only logged: the subscription exists, and its events will record it.
func (s *Service) recordNew(ctx context.Context, made *stripe.Subscription) {
	ticket, err := s.takeTicket(ctx, made.ID)
	if err == nil && ticket == 1 { // else another may have fetched it later than we did
		_, err = s.recordSubscription(ctx, normal(made, ""), ticket)
	}
	if err != nil {
		s.log().WarnContext(ctx, "a new subscription could not be recorded", slog.String("subscription", made.ID), slog.Any("error", err))
	}
}

// subscription returns what the record says.
func (r subscriptionRecord) subscription() Subscription {
	sub := r.Fields.Subscription
	sub.ID, sub.Sequence = r.ID, r.Fields.Written
	if r.Fields.Owner != "" {
		sub.User = userOf(r.Fields.Owner)
	}
	for _, p := range r.Fields.Pairs {
		if sub.Metadata == nil {
			sub.Metadata = map[string]string{}
		}
		sub.Metadata[p.Name] = p.Value
	}
	return sub
}

// normal turns Stripe's subscription into ours, without its user.
func normal(s *stripe.Subscription, account string) Subscription {
	out := Subscription{
		ID: s.ID, Customer: idOf(s.Customer), Status: string(s.Status), Livemode: s.Livemode, Account: account,
		PeriodStart: timeOf(s.CurrentPeriodStart), PeriodEnd: timeOf(s.CurrentPeriodEnd), TrialEnd: timeOf(s.TrialEnd),
		CancelAt: timeOf(s.CancelAt), CanceledAt: timeOf(s.CanceledAt), EndedAt: timeOf(s.EndedAt), Created: timeOf(s.Created),
		Metadata: withoutOurs(s.Metadata), Items: []SubscriptionItem{},
	}
	if s.Items == nil {
		return out
	}
	for _, item := range s.Items.Data {
		line := SubscriptionItem{ID: item.ID, Quantity: item.Quantity}
		if item.Price != nil {
			line.Price = item.Price.ID
			if item.Price.Product != nil {
				line.Product = item.Price.Product.ID
			}
		}
		out.Items = append(out.Items, line)
	}
	return out
}

// timeOf reads Stripe's times, in which 0 is none.
func timeOf(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}
