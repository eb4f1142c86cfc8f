package payment

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/stripe/stripe-go/v76"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

var (
	// ErrNoCustomer is returned for a user who is no customer of Stripe yet.
	ErrNoCustomer = errors.New("payment: the user is no customer yet")

	// ErrForeignCustomer is returned where the customer is not that of the user.
	ErrForeignCustomer = errors.New("payment: the customer is someone else")
)

// metadataUser is the name under which Stripe's objects say which user they are
// for. It is for those who look at them: our own records go by the customer.
const metadataUser = "coglex_user"

// customerRecord says which customer of Stripe a user is.
//
// It is there before the customer is, with the idempotency key to make it under. So
// those who need the customer for the first time at once, on however many
// instances, make one; and a gateway that dies in between makes the same one later,
// as long as Stripe remembers the key, which is a day.
type customerRecord struct {
	User     string   `bson:"_id"` // User.key
	Key      string   `bson:"key"`
	Customer string   `bson:"customer,omitempty"`
	Email    string   `bson:"email,omitempty"`  // what we have told Stripe
	Former   []string `bson:"former,omitempty"` // customers that were deleted at Stripe
}

func (s *Service) customers() *mongo.Collection { return durable(s.db, CustomersCollection) }

// Customer returns the customer of Stripe that the user is, and makes it where there
// is none yet: one, however many ask at once. An email other than that of the last
// call becomes the customer's; an empty one changes nothing. A customer is never
// looked for by its email, which anyone may type. One that was deleted at Stripe is
// made anew by the calls that need it, such as [Service.Checkout].
func (s *Service) Customer(ctx context.Context, user User, email string) (string, error) {
	customer, err := s.customer(ctx, user, email)
	if err != nil {
		return "", err
	}
	return customer, nil
}

// customer is Customer that returns the customer also where its email could not be
// set.
func (s *Service) customer(ctx context.Context, user User, email string) (string, error) {
	if err := user.check(); err != nil {
		return "", err
	}
	record, err := s.claimCustomer(ctx, user)
	if err != nil {
		return "", err
	}
	if record.Customer == "" {
		err := s.makeCustomer(ctx, &record)
		if stuck(err) {
			err = s.makeCustomerAnew(ctx, user, &record)
		}
		if err != nil {
			return "", err
		}
	}
	if email != "" && email != record.Email {
		err = s.setEmail(ctx, record, email)
	}
	return record.Customer, err
}

// withCustomer calls fn with the customer of the user, and again with a new one if
// Stripe says that this was deleted.
func (s *Service) withCustomer(ctx context.Context, user User, email string, fn func(customer string) error) error {
	customer, err := s.customer(ctx, user, email)
	if err == nil {
		err = fn(customer)
	}
	if !missing(err, "customer") && !missing(err, "id") {
		return err
	}
	if err := s.renewCustomer(ctx, user, customer); err != nil {
		return err
	}
	if customer, err = s.customer(ctx, user, email); err != nil {
		return err
	}
	return fn(customer)
}

// claimCustomer returns the record of a user, and makes it where there is none.
func (s *Service) claimCustomer(ctx context.Context, user User) (customerRecord, error) {
	record, err := s.findCustomer(ctx, user)
	if !errors.Is(err, ErrNoCustomer) {
		return record, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	record = customerRecord{User: user.key(), Key: newCustomerKey()}
	_, err = s.customers().InsertOne(ctx, record)
	if mongo.IsDuplicateKeyError(err) { // another was quicker
		return s.findCustomer(ctx, user)
	}
	if err != nil {
		return record, fmt.Errorf("payment: recording a customer: %w", err)
	}
	return record, nil
}

func newCustomerKey() string { return "coglex-customer-" + rand.Text() }

// findCustomer returns the record of a user. Its customer may not be made yet.
func (s *Service) findCustomer(ctx context.Context, user User) (customerRecord, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var record customerRecord
	err := s.customers().FindOne(ctx, bson.D{{Key: "_id", Value: user.key()}}).Decode(&record)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return record, ErrNoCustomer
	}
	if err != nil {
		return record, fmt.Errorf("payment: reading a customer: %w", err)
	}
	return record, nil
}

// customerOf returns the customer that the user is already, or [ErrNoCustomer].
func (s *Service) customerOf(ctx context.Context, user User) (string, error) {
	if err := user.check(); err != nil {
		return "", err
	}
	record, err := s.findCustomer(ctx, user)
	if err == nil && record.Customer == "" {
		err = ErrNoCustomer
	}
	return record.Customer, err
}

// makeCustomer makes the customer of a record. What it tells Stripe is the same for
// all who do so with one key, as Stripe demands: the email follows later.
func (s *Service) makeCustomer(ctx context.Context, record *customerRecord) error {
	customer, err := call(ctx, s, "create a customer", func(ctx context.Context) (*stripe.Customer, error) {
		return s.stripe.Customers.New(&stripe.CustomerParams{
			Params: params(ctx, record.Key), Metadata: map[string]string{metadataUser: record.User},
		})
	})
	if err != nil {
		return err
	}
	record.Customer = customer.ID
	return s.updateCustomer(ctx, *record, bson.D{{Key: "$set", Value: bson.D{{Key: "customer", Value: customer.ID}}}})
}

// makeCustomerAnew makes the customer of a record whose key is stuck, so that nobody
// has made it, under another: that of whoever finds that out first.
func (s *Service) makeCustomerAnew(ctx context.Context, user User, record *customerRecord) error {
	err := s.updateCustomer(ctx, *record, bson.D{{Key: "$set", Value: bson.D{{Key: "key", Value: newCustomerKey()}}}})
	if err != nil {
		return err
	}
	if *record, err = s.findCustomer(ctx, user); err != nil || record.Customer != "" {
		return err
	}
	return s.makeCustomer(ctx, record)
}

// setEmail tells Stripe, and then our record, how the customer is reached.
func (s *Service) setEmail(ctx context.Context, record customerRecord, email string) error {
	_, err := call(ctx, s, "update a customer", func(ctx context.Context) (*stripe.Customer, error) {
		return s.stripe.Customers.Update(record.Customer, &stripe.CustomerParams{Params: params(ctx, ""), Email: &email})
	})
	if err != nil {
		return err
	}
	return s.updateCustomer(ctx, record, bson.D{{Key: "$set", Value: bson.D{{Key: "email", Value: email}}}})
}

// renewCustomer makes the record forget a customer that was deleted at Stripe, under
// another key. Of several who find that out at once one does.
func (s *Service) renewCustomer(ctx context.Context, user User, deleted string) error {
	record, err := s.findCustomer(ctx, user)
	if err != nil || record.Customer != deleted {
		return err
	}
	return s.updateCustomer(ctx, record, bson.D{
		{Key: "$set", Value: bson.D{{Key: "key", Value: newCustomerKey()}}},
		{Key: "$unset", Value: bson.D{{Key: "customer", Value: ""}, {Key: "email", Value: ""}}},
		{Key: "$addToSet", Value: bson.D{{Key: "former", Value: deleted}}},
	})
}

// updateCustomer changes a record, unless its customer was renewed meanwhile.
func (s *Service) updateCustomer(ctx context.Context, record customerRecord, update bson.D) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	filter := bson.D{{Key: "_id", Value: record.User}, {Key: "key", Value: record.Key}}
	if _, err := s.customers().UpdateOne(ctx, filter, update); err != nil {
		return fmt.Errorf("payment: recording a customer: %w", err)
	}
	return nil
}

// userOfCustomer returns the user whom a customer is or was, nobody where our
// records have none. Those of connected accounts are never ours, whatever they are
// called: we make them in our own account.
func (s *Service) userOfCustomer(ctx context.Context, account, customer string) (User, error) {
	if account != "" || customer == "" {
		return User{}, nil
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	for _, field := range []string{"customer", "former"} {
		var record customerRecord
		err := s.customers().FindOne(ctx, bson.D{{Key: field, Value: customer}}).Decode(&record)
		if err == nil {
			return userOf(record.User), nil
		}
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return User{}, fmt.Errorf("payment: reading a customer: %w", err)
		}
	}
	return User{}, nil
}
