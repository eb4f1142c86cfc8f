package payment_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestStopWaitsForWhatIsInHand(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Workers = 1 })
	began, release := make(chan struct{}), make(chan struct{})
	in.subscribe("slow", func(e payment.StripeWebhookReceived) error {
		if e.ID == "evt_1" {
			close(began)
			<-release
		}
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	in.deliver(event("evt_2", "charge.succeeded")).received() // waits for the worker
	stopped := make(chan error, 1)
	go func() { stopped <- in.pay.Stop(t.Context()) }()
	select {
	case err := <-stopped:
		t.Fatalf("Stop did not wait: %v", err)
	case <-in.pay.Stopping():
	}
	close(release)
	if err := receive(t, stopped); err != nil {
		t.Fatal(err)
	}
	in.want("evt_1", payment.StateDone)
	if r := in.record("evt_2"); r.State != payment.StatePending || r.Attempts != 0 {
		t.Errorf("an event was taken while stopping: %+v", r)
	}
	in.deliver(event("evt_3", "charge.succeeded")).received() // still stored
	if err := in.pay.Ready(t.Context()); !errors.Is(err, payment.ErrNotStarted) {
		t.Errorf("Ready after Stop: %v", err)
	}
	if err := in.pay.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.await()
	in.await()
}

func TestStopThatMayNotWaitGivesTheLeaseBack(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	began := make(chan struct{})
	signals.SubscribeNamed(in.app.Signals(), "slow", func(ctx context.Context, e payment.StripeWebhookReceived) error {
		if e.Attempt == 1 && ctx.Err() == nil {
			select {
			case <-began:
				return nil
			default:
			}
			close(began)
			<-ctx.Done()
		}
		return ctx.Err()
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := in.pay.Stop(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: %v, want that it could not wait", err)
	}
	in.want("evt_1", payment.StatePending)
	if r := in.record("evt_1"); r.Attempts != 0 || !r.Due.Equal(noon) {
		t.Errorf("the lease was not given back: %+v", r)
	}
	in.stop(t.Context())
	if err := in.pay.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.want("evt_1", payment.StateDone)
}

func TestAClosedBusLosesNothing(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil).start()
	if err := in.app.Signals().Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.want("evt_1", payment.StatePending)
	if r := in.record("evt_1"); r.Attempts != 0 || !r.Due.After(noon) {
		t.Errorf("the record is %+v", r)
	}
}

func TestADatabaseThatGoesAwayDuringHandlingLosesNothing(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(server.URI()).SetServerSelectionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	in := newInbox(t, client.Database("test"), newClock(), nil)
	began, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int64
	in.subscribe("mark-paid", func(payment.StripeWebhookReceived) error {
		if calls.Add(1) == 1 {
			close(began)
			<-release
		}
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	server.Kill()
	refused := in.deliver(event("evt_2", "charge.succeeded"))
	refused.refused(http.StatusServiceUnavailable, "not_stored")
	if refused.header.Get("Retry-After") == "" {
		t.Error("the refusal does not say when to come back")
	}
	close(release) // it succeeds, and nobody can be told
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	in.want("evt_1", payment.StateDone)
	if r := in.record("evt_1"); calls.Load() != 1 || !slices.Equal(r.Done, []string{"mark-paid"}) {
		t.Errorf("after %d calls the record is %+v", calls.Load(), r)
	}
	in.deliver(event("evt_2", "charge.succeeded")).received()
	in.want("evt_2", payment.StateDone)
}

func TestOldEventsAreRemoved(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Attempts = 1 })
	in.subscribe("fails", func(e payment.StripeWebhookReceived) error {
		if e.ID == "evt_dead" {
			return errors.New("no")
		}
		return nil
	})
	in.start()
	for _, id := range []string{"evt_done", "evt_dead"} {
		in.deliver(event(id, "charge.succeeded")).received()
		in.await()
	}
	for _, step := range []struct {
		after time.Duration
		want  int64
	}{{payment.DefaultKeep - time.Millisecond, 0}, {time.Millisecond, 1}, {10 * payment.DefaultKeep, 0}} {
		in.clock.add(step.after)
		if n, err := in.pay.SweepEvents(t.Context()); n != step.want || err != nil {
			t.Errorf("removed %d, %v; want %d", n, err, step.want)
		}
	}
	if r := in.record("evt_dead"); r.State != payment.StateDead || in.count() != 1 {
		t.Errorf("left are %d; %+v", in.count(), r)
	}
}
