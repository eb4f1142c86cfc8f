package signals_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/imadelakhaldev/coglex/signals"
)

// OrderPlaced has happened: it embeds Fact and travels by value.
type OrderPlaced struct {
	signals.Fact
	ID    string
	Cents int
}

// PlacingOrder is about to happen: it embeds Intent and travels by pointer.
type PlacingOrder struct {
	signals.Intent
	Customer string
	Cents    int
}

// MoneyReceived must not be lost: it embeds Inbox.
type MoneyReceived struct {
	signals.Inbox
	OrderID string
}

func ExampleSubscribe() {
	ctx, bus := context.Background(), signals.NewBus(nil)
	cancel := signals.Subscribe(bus, func(_ context.Context, e OrderPlaced) error {
		fmt.Printf("order %s over %d cents\n", e.ID, e.Cents)
		return nil
	})
	_ = signals.Publish(ctx, bus, OrderPlaced{ID: "A-1", Cents: 995})
	cancel()
	_ = signals.Publish(ctx, bus, OrderPlaced{ID: "A-2", Cents: 995})
	// Output: order A-1 over 995 cents
}

// An inbox event is delivered until all are done; who has a name is not called twice.
func ExampleSubscribeNamed() {
	ctx, bus := context.Background(), signals.NewBus(nil)
	signals.SubscribeNamed(bus, "mark-paid", func(_ context.Context, e MoneyReceived) error {
		fmt.Println("paid:", e.OrderID)
		return nil
	})
	printer := errors.New("out of paper")
	signals.SubscribeNamed(bus, "print-invoice", func(_ context.Context, e MoneyReceived) error {
		if printer != nil {
			return printer
		}
		fmt.Println("printed:", e.OrderID)
		return nil
	})

	done, err := signals.Deliver(ctx, bus, MoneyReceived{OrderID: "A-1"}, nil)
	fmt.Println(done, err)
	printer = nil
	done, err = signals.Deliver(ctx, bus, MoneyReceived{OrderID: "A-1"}, done)
	fmt.Println(done, err)
	// Output:
	// paid: A-1
	// [mark-paid] print-invoice: out of paper
	// printed: A-1
	// [mark-paid print-invoice] <nil>
}

func ExampleIntercept() {
	ctx, bus := context.Background(), signals.NewBus(nil)
	signals.Intercept(bus, func(_ context.Context, e *PlacingOrder) error {
		if e.Customer == "" {
			return errors.New("who are you?")
		}
		return nil
	})
	signals.Intercept(bus, func(_ context.Context, e *PlacingOrder) error {
		e.Cents += 500 // shipping
		return nil
	})

	order := &PlacingOrder{Customer: "ada", Cents: 995}
	fmt.Println(signals.Ask(ctx, bus, order), order.Cents)
	fmt.Println(signals.Ask(ctx, bus, &PlacingOrder{Cents: 995}))
	// Output:
	// <nil> 1495
	// who are you?
}

func ExampleAsync() {
	ctx, bus := context.Background(), signals.NewBus(nil)
	signals.Subscribe(bus, signals.Async(bus, 100, func(_ context.Context, e OrderPlaced) error {
		fmt.Println("mail about", e.ID)
		return nil
	}))
	for _, id := range []string{"A-1", "A-2"} {
		_ = signals.Publish(ctx, bus, OrderPlaced{ID: id}) // does not wait for the mail
	}
	_ = bus.Close(ctx) // does
	// Output:
	// mail about A-1
	// mail about A-2
}

func ExampleTap() {
	ctx, bus := context.Background(), signals.NewBus(nil)
	signals.Tap(bus, func(_ context.Context, e any) {
		fmt.Printf("audit: %T\n", e)
	})
	_ = signals.Publish(ctx, bus, OrderPlaced{ID: "A-1"})
	_, _ = signals.Deliver(ctx, bus, MoneyReceived{OrderID: "A-1"}, nil)
	// Output:
	// audit: signals_test.OrderPlaced
	// audit: signals_test.MoneyReceived
}

// An inbox that records each subscriber as it is done repeats the least after a crash.
func ExampleDeliverEach() {
	ctx, bus := context.Background(), signals.NewBus(nil)
	for _, name := range []string{"mark-paid", "print-invoice"} {
		signals.SubscribeNamed(bus, name, func(context.Context, MoneyReceived) error { return nil })
	}
	for name, err := range signals.DeliverEach(ctx, bus, MoneyReceived{OrderID: "A-1"}, nil) {
		if err == nil && name != "" {
			fmt.Println("record", name)
		}
	}
	// Output:
	// record mark-paid
	// record print-invoice
}
