// Command paymentgateway is a gateway with nothing but payments, for tests that
// kill it and that run several on one database. It prints how many events wait to
// be handled, and then its URL, each in a line.
//
// What its subscribers are told they write into the database, so that it outlives
// them: "/ledger" is how often each event of Stripe's was handled, "/told" what was
// made of them, "/subscriptions/:user" what is known of a user.
package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/signals"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "paymentgateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		return err
	}
	db := client.Database("coglex")
	lease, err := time.ParseDuration(cmp.Or(os.Getenv("LEASE"), "1m"))
	if err != nil {
		return err
	}
	pay, err := payment.New(db, os.Getenv("STRIPE_SECRET_KEY"), os.Getenv("STRIPE_WEBHOOK_SECRET"), &payment.Options{
		APIBase: os.Getenv("STRIPE_API_BASE"), NoReconcile: true,
		Lease: lease, Poll: 50 * time.Millisecond, MinDelay: 20 * time.Millisecond, MaxDelay: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	app, err := coglex.New(os.Getenv("SERVER_SECRET"), &coglex.Options{NoAccessLog: true})
	if err != nil {
		return err
	}
	e := echo.New()
	e.HideBanner = true
	if err := app.Mount(e, pay); err != nil { //nolint:contextcheck // the guards are built here, not run
		return err
	}
	shop{db, pay}.open(e, app.Signals())
	waiting, err := pay.CountEvents(ctx, payment.EventFilter{States: []payment.State{payment.StatePending, payment.StateLeased}})
	if err != nil {
		return err
	}
	if err := app.Start(ctx); err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%d\nhttp://%s\n", waiting, l.Addr())
	return app.Serve(ctx, e, l)
}

// shop is what the gateway does of its own.
type shop struct {
	db  *mongo.Database
	pay *payment.Service
}

// open subscribes and adds the routes.
func (s shop) open(e *echo.Echo, bus *signals.Bus) {
	signals.SubscribeNamed(bus, "ledger", func(ctx context.Context, e payment.StripeWebhookReceived) error {
		_, err := s.db.Collection("ledger").UpdateOne(ctx, bson.D{{Key: "_id", Value: e.ID}},
			bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: int64(1)}}}}, options.Update().SetUpsert(true))
		return err
	})
	signals.SubscribeNamed(bus, "paid", func(ctx context.Context, e payment.Paid) error {
		return s.tell(ctx, "paid %s %d %s user=%s order=%s", e.ID, e.Amount, e.Currency, e.User.ID, e.Metadata["order"])
	})
	signals.SubscribeNamed(bus, "failed", func(ctx context.Context, e payment.Failed) error {
		return s.tell(ctx, "failed %s %s", e.ID, e.Reason)
	})
	signals.SubscribeNamed(bus, "changed", func(ctx context.Context, e payment.SubscriptionChanged) error {
		return s.tell(ctx, "changed %s %s", e.Subscription.ID, e.Subscription.Status)
	})
	signals.SubscribeNamed(bus, "refunded", func(ctx context.Context, e payment.Refunded) error {
		return s.tell(ctx, "refunded %s %d of %d, full=%t", e.Charge, e.Amount, e.Total, e.Full)
	})
	e.GET("/ledger", s.ledger)
	e.GET("/told", s.told)
	e.GET("/subscriptions/:user", s.subscriptions)
}

// tell writes a line down.
func (s shop) tell(ctx context.Context, format string, args ...any) error {
	_, err := s.db.Collection("told").InsertOne(ctx, bson.D{{Key: "line", Value: fmt.Sprintf(format, args...)}})
	return err
}

func (s shop) ledger(c echo.Context) error {
	var rows []struct {
		ID string `bson:"_id"`
		N  int    `bson:"n"`
	}
	if err := s.all(c.Request().Context(), "ledger", &rows); err != nil {
		return err
	}
	times := map[string]int{}
	for _, row := range rows {
		times[row.ID] = row.N
	}
	return c.JSON(http.StatusOK, times)
}

func (s shop) told(c echo.Context) error {
	var rows []struct {
		Line string `bson:"line"`
	}
	if err := s.all(c.Request().Context(), "told", &rows); err != nil {
		return err
	}
	lines := []string{}
	for _, row := range rows {
		lines = append(lines, row.Line)
	}
	return c.JSON(http.StatusOK, lines)
}

func (s shop) all(ctx context.Context, collection string, rows any) error {
	cursor, err := s.db.Collection(collection).Find(ctx, bson.D{})
	if err != nil {
		return err
	}
	return cursor.All(ctx, rows)
}

func (s shop) subscriptions(c echo.Context) error {
	found, err := s.pay.Subscriptions(c.Request().Context(), payment.User{ID: c.Param("user")})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, found)
}
