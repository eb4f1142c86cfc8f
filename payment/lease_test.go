package payment_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestALeaseThatIsOverIsTakenOver(t *testing.T) {
	t.Parallel()
	db, c := dbtest.Database(t), newClock()
	dying, heir := newInbox(t, db, c, nil), newInbox(t, db, c, nil)
	began, release := make(chan struct{}), make(chan struct{})
	dying.subscribe("first", func(payment.StripeWebhookReceived) error { return nil })
	dying.subscribe("mark-paid", func(payment.StripeWebhookReceived) error {
		close(began)
		<-release
		return errors.New("too late")
	})
	var first, second int
	heir.subscribe("first", func(payment.StripeWebhookReceived) error { first++; return nil })
	heir.subscribe("mark-paid", func(payment.StripeWebhookReceived) error { second++; return nil })
	dying.start()
	dying.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	heir.start() // not before: its first look could be the faster one
	heir.clock.add(payment.DefaultLease - time.Millisecond)
	heir.pay.LookNow()
	heir.deliver(event("evt_2", "charge.succeeded")).received()
	heir.want("evt_2", payment.StateDone) // and evt_1 is not its own yet
	heir.clock.add(time.Millisecond)
	heir.pay.LookNow()
	heir.want("evt_1", payment.StatePending) // the try that came to no end has failed
	if r := heir.record("evt_1"); r.Attempts != 1 || !slices.Equal(r.Faults, []payment.Fault{{Class: "abandoned"}}) {
		t.Errorf("the record is %+v", r)
	}
	heir.clock.add(payment.DefaultMinDelay)
	heir.pay.LookNow()
	heir.want("evt_1", payment.StateDone)
	close(release)
	dying.stop(t.Context())
	if first != 1 || second != 2 { // evt_2 is a call of each; of evt_1 the first was done
		t.Errorf("called %d and %d times, want 1 and 2", first, second)
	}
	if r := heir.record("evt_1"); r.State != payment.StateDone || r.Attempts != 2 || len(r.Faults) != 0 {
		t.Errorf("who lost the lease has changed the record: %+v", r)
	}
}

func TestAnEventThatKillsEveryProcessIsDead(t *testing.T) {
	t.Parallel()
	db, c := dbtest.Database(t), newClock()
	in := newInbox(t, db, c, func(o *payment.Options) { o.Attempts = 1 })
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.lease("evt_1", 1, c.Now().Add(-time.Millisecond)) // by an instance that died
	in.subscribe("deadly", func(payment.StripeWebhookReceived) error { panic("again") })
	in.start()
	in.want("evt_1", payment.StateDead)
	if diff := cmp.Diff([]payment.Fault{{Class: "abandoned"}}, in.record("evt_1").Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestALeaseIsRenewedWhileAHandlerRuns(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), &clock{now: time.Now()}, func(o *payment.Options) { o.Lease = 900 * time.Millisecond })
	began, release := make(chan struct{}), make(chan struct{})
	in.subscribe("slow", func(payment.StripeWebhookReceived) error {
		close(began)
		<-release
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	before := *in.record("evt_1").Due
	in.clock.add(20 * time.Millisecond)
	for !in.record("evt_1").Due.After(before) { // or the test times out
		if t.Context().Err() != nil {
			t.Fatal("the lease is not renewed")
		}
	}
	close(release)
	in.want("evt_1", payment.StateDone)
}

func TestAHandlerThatLostItsLeaseIsTold(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Lease = 30 * time.Millisecond })
	began, ended := make(chan struct{}), make(chan error, 1)
	signals.SubscribeNamed(in.app.Signals(), "slow", func(ctx context.Context, _ payment.StripeWebhookReceived) error {
		close(began)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	in.lease("evt_1", 2, in.clock.Now().Add(time.Hour)) // by another
	if err := receive(t, ended); err == nil {
		t.Error("the context has no cause")
	}
	in.stop(t.Context())
	if r := in.record("evt_1"); r.State != payment.StateLeased || len(r.Done) != 0 {
		t.Errorf("the record is %+v", r)
	}
}

func TestALeaseThatCannotBeRenewedIsLostInTime(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(server.URI()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	in := newInbox(t, client.Database("test"), newClock(), func(o *payment.Options) {
		o.Lease, o.Timeout = 100*time.Millisecond, time.Hour // no answer of the database is awaited
	})
	began, ended := make(chan struct{}), make(chan error, 1)
	signals.SubscribeNamed(in.app.Signals(), "slow", func(ctx context.Context, _ payment.StripeWebhookReceived) error {
		select {
		case <-began:
			return nil
		default:
		}
		close(began)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	server.Kill()
	if err := receive(t, ended); err == nil || !strings.Contains(err.Error(), "lease") {
		t.Errorf("the context ended by %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	in.want("evt_1", payment.StatePending)
}

// An event in the hands of process after process that dies, whatever of, is tried as
// late and as often as one that fails.
func TestAbandonedTriesCountAsFailures(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Attempts = 3 })
	var calls int
	in.subscribe("mark-paid", func(payment.StripeWebhookReceived) error { calls++; return nil })
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.deliver(event("evt_2", "charge.succeeded")).received()
	in.lease("evt_1", 2, noon)
	in.lease("evt_2", 3, noon)
	in.start()
	got := map[string]payment.State{}
	for range 2 {
		o := in.await()
		got[o.id] = o.state
	}
	if got["evt_1"] != payment.StatePending || got["evt_2"] != payment.StateDead || calls != 0 {
		t.Errorf("%v after %d calls", got, calls)
	}
	if r := in.record("evt_1"); r.Attempts != 2 || !r.Due.Equal(noon.Add(2*payment.DefaultMinDelay)) {
		t.Errorf("the record is %+v", r)
	}
	in.clock.add(2 * payment.DefaultMinDelay)
	in.pay.LookNow()
	in.want("evt_1", payment.StateDone)
	if r := in.record("evt_1"); r.Attempts != 3 || calls != 1 {
		t.Errorf("after %d calls the record is %+v", calls, r)
	}
}

func TestASubscriberThatNeverReturnsIsToldOf(t *testing.T) {
	t.Parallel()
	logged := &buffer{}
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) {
		o.HandleTimeout, o.Lease, o.Workers = time.Millisecond, 300*time.Millisecond, 2
		o.Logger = slog.New(slog.NewTextHandler(logged, nil))
	})
	began, release := make(chan struct{}), make(chan struct{})
	in.subscribe("deaf", func(e payment.StripeWebhookReceived) error {
		if e.ID == "evt_1" {
			close(began)
			<-release
		}
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	receive(t, began)
	in.deliver(event("evt_2", "charge.succeeded")).received()
	if o := in.await(); o.id != "evt_2" { // the other worker goes on
		t.Errorf("the outcome is %v", o)
	}
	for !strings.Contains(logged.String(), "goes on though its time is over") {
		runtime.Gosched() // or the test times out
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := in.pay.Stop(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: %v, want that it could not wait", err)
	}
	close(release)
}
