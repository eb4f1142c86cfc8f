package main

import (
	"context"
	"errors"
	"log/slog"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/storage"
)

// markPaid writes into an order that it was paid: the one that the metadata of
// its checkout name. It may be told of a payment again where the gateway was
// killed at the wrong moment, and then writes the same once more.
func markPaid(docs *storage.Service, log *slog.Logger) func(context.Context, payment.Paid) error {
	return func(ctx context.Context, paid payment.Paid) error {
		order, ok := paid.Metadata["order"]
		if !ok {
			return nil // money for something else
		}
		filter := bson.D{{Key: "_id", Value: order}}
		update := bson.D{{Key: "$set", Value: bson.D{
			{Key: "status", Value: "paid"}, {Key: "amount", Value: paid.Amount}, {Key: "currency", Value: paid.Currency},
		}}}
		_, err := docs.PatchOne(ctx, "orders", filter, update)
		if errors.Is(err, storage.ErrNotFound) {
			log.WarnContext(ctx, "money came for an order that is not there", slog.String("payment", paid.ID))
			return nil
		}
		return err // another error: it is tried again, later
	}
}
