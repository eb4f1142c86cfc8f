package payment_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stripe/stripe-go/v76"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/signals"
)

// database is that of the examples. They are compiled, and not run.
func database(ctx context.Context) (*mongo.Database, error) {
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		return nil, err
	}
	return client.Database("coglex"), nil
}

// gateway is that of the examples: it takes money, and has what subscribe adds.
func gateway(subscribe func(*mongo.Database, *payment.Service, *signals.Bus)) {
	ctx := context.Background()
	db, err := database(ctx)
	if err != nil {
		panic(err)
	}
	pay, err := payment.New(db, os.Getenv("STRIPE_SECRET_KEY"), os.Getenv("STRIPE_WEBHOOK_SECRET"), nil)
	if err != nil {
		panic(err)
	}
	app, err := coglex.New(os.Getenv("SERVER_SECRET"), nil)
	if err != nil {
		panic(err)
	}
	e := echo.New()
	if err := app.Mount(e, pay); err != nil {
		panic(err)
	}
	subscribe(db, pay, app.Signals())
	if err := app.Run(ctx, e, ":5000"); err != nil {
		panic(err)
	}
}

// A mail cannot be taken back, so it is noted under the id of what it is about before
// it is sent: who finds the note leaves it at that. A process that dies in between
// sends none, rather than two.
func Example_sendReceipt() {
	gateway(func(db *mongo.Database, _ *payment.Service, bus *signals.Bus) {
		receipts := db.Collection("receipts")
		signals.SubscribeNamed(bus, "send-receipt", func(ctx context.Context, e payment.Paid) error {
			_, err := receipts.InsertOne(ctx, bson.D{{Key: "_id", Value: e.ID}, {Key: "user", Value: e.User.ID}})
			if mongo.IsDuplicateKeyError(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := sendReceipt(ctx, e.User.ID); err != nil {
				_, undone := receipts.DeleteOne(ctx, bson.D{{Key: "_id", Value: e.ID}})
				return errors.Join(err, undone)
			}
			return nil
		})
	})
}

func sendReceipt(context.Context, string) error { return nil }

// An event of which the package makes nothing is told as Stripe sent it.
func ExampleObject() {
	gateway(func(_ *mongo.Database, _ *payment.Service, bus *signals.Bus) {
		signals.SubscribeNamed(bus, "watch-disputes", func(ctx context.Context, e payment.StripeWebhookReceived) error {
			if e.Type != "charge.dispute.created" {
				return nil
			}
			dispute, err := payment.Object[stripe.Dispute](e)
			if err != nil {
				return err
			}
			slog.WarnContext(ctx, "disputed", "dispute", dispute.ID, "amount", dispute.Amount)
			return nil
		})
	})
}

// The subscriber "mark-paid" was mended: what it has failed at last week reaches it
// again, and nobody else.
func ExampleService_Replay() {
	gateway(func(_ *mongo.Database, pay *payment.Service, _ *signals.Bus) {
		report, err := pay.Replay(context.Background(), payment.ReplayFilter{EventFilter: payment.EventFilter{
			States: []payment.State{payment.StateDead}, Since: time.Now().AddDate(0, 0, -7),
		}})
		fmt.Println(len(report.Queued), "are handled again,", report.More, err)
	})
}
