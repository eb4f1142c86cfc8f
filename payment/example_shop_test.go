package payment_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// The metadata says which order is meant, and whoever made the checkout wrote it. So
// an order is paid by its own amount and currency, and by nothing else.
func ExamplePaid() {
	gateway(func(db *mongo.Database, _ *payment.Service, bus *signals.Bus) {
		orders := db.Collection("orders")
		signals.SubscribeNamed(bus, "mark-paid", func(ctx context.Context, e payment.Paid) error {
			filter := bson.D{
				{Key: "_id", Value: e.Metadata["order"]},
				{Key: "amount", Value: e.Amount},
				{Key: "currency", Value: e.Currency},
				{Key: "paid_by", Value: bson.D{{Key: "$in", Value: bson.A{nil, e.ID}}}}, // told again, it is found again
			}
			res, err := orders.UpdateOne(ctx, filter, bson.D{{Key: "$set", Value: bson.D{{Key: "paid_by", Value: e.ID}}}})
			if err == nil && res.MatchedCount == 0 {
				slog.ErrorContext(ctx, "money came that fits no open order", "payment", e.ID, "amount", e.Amount)
			}
			return err
		})
	})
}

// What a browser may buy, and where it is sent afterwards.
func ExampleCheckingOut() {
	gateway(func(_ *mongo.Database, _ *payment.Service, bus *signals.Bus) {
		signals.Intercept(bus, func(_ context.Context, e *payment.CheckingOut) error {
			for _, line := range e.Request.Linedata {
				if line.Price != "price_basic" && line.Price != "price_pro" {
					return &service.Problem{Status: http.StatusForbidden, Code: "not_for_sale", Detail: "This is not for sale."}
				}
			}
			e.Request.SuccessURL = "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}"
			e.Request.CancelURL = "https://shop.example/cart"
			return nil
		})
	})
}

// A method takes any subscription: whose it is, is for its caller to see to.
func ExampleService_Cancel() {
	gateway(func(_ *mongo.Database, pay *payment.Service, _ *signals.Bus) {
		ctx, user := context.Background(), payment.User{ID: "ann"}
		subscriptions, err := pay.Subscriptions(ctx, user)
		if err != nil {
			panic(err)
		}
		for _, sub := range subscriptions {
			if sub.Status == "active" {
				sub, err = pay.Cancel(ctx, sub.ID)
				fmt.Println("subscribed until", sub.CancelAt, err)
			}
		}
	})
}
