package main

import (
	"context"
	"errors"
	"log/slog"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/storage"
)

// markPaid writes into an order that it was paid: the one that the metadata of its
// checkout name. Who made the checkout chose the metadata, so the order must cost what
// was paid. It may be told of a payment again where the gateway was killed at the wrong
// moment, and then writes the same once more.
func markPaid(docs *storage.Service, log *slog.Logger) func(context.Context, payment.Paid) error {
	return func(ctx context.Context, paid payment.Paid) error {
		order, ok := paid.Metadata["order"]
		if !ok {
			return nil // money for something else
		}
		filter := bson.D{
			{Key: "_id", Value: order},
			{Key: "amount", Value: paid.Amount},
			{Key: "currency", Value: paid.Currency},
			{Key: "paid_by", Value: bson.D{{Key: "$in", Value: bson.A{nil, paid.ID}}}},
		}
		update := bson.D{{Key: "$set", Value: bson.D{{Key: "status", Value: "paid"}, {Key: "paid_by", Value: paid.ID}}}}
		_, err := docs.PatchOne(ctx, "orders", filter, update)
		if errors.Is(err, storage.ErrNotFound) {
			log.WarnContext(ctx, "money came that fits no order", slog.String("payment", paid.ID))
			return nil
		}
		return err // another error: it is tried again, later
	}
}
