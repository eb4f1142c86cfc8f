package payment_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mongoevent "go.mongodb.org/mongo-driver/event"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestAnEventThatComesAHundredTimesToThreeInstancesIsHandledOnce(t *testing.T) {
	t.Parallel()
	db, c := dbtest.Database(t), newClock()
	var handled atomic.Int64
	instances := make([]*inbox, 3)
	for i := range instances {
		instances[i] = newInbox(t, db, c, nil)
		instances[i].subscribe("mark-paid", func(payment.StripeWebhookReceived) error {
			handled.Add(1)
			return nil
		})
		instances[i].start()
	}
	body := event("evt_1", "charge.succeeded")
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			in := instances[i%len(instances)]
			if i%10 == 0 {
				in.pay.LookNow()
			}
			in.deliver(body).received()
		})
	}
	wg.Wait()
	var first outcome
	select {
	case first = <-instances[0].outcomes:
	case first = <-instances[1].outcomes:
	case first = <-instances[2].outcomes:
	case <-time.After(patience):
		t.Fatal("nobody has handled the event")
	}
	if want := (outcome{"evt_1", payment.StateDone}); first != want {
		t.Errorf("outcome %v, want %v", first, want)
	}
	for _, in := range instances {
		in.deliver(body).received()
		in.stop(t.Context()) // waits for what is in hand
		if len(in.outcomes) > 0 {
			t.Errorf("handled again: %v", <-in.outcomes)
		}
	}
	if n := handled.Load(); n != 1 {
		t.Errorf("handled %d times", n)
	}
	if r := instances[0].record("evt_1"); r.Attempts != 1 || instances[0].count() != 1 {
		t.Errorf("the record is %+v", r)
	}
}

func TestManyEventsAreHandledOnceEach(t *testing.T) {
	t.Parallel()
	const events = 60
	db, c := dbtest.Database(t), newClock()
	var seen sync.Map
	instances := make([]*inbox, 2)
	for i := range instances {
		instances[i] = newInbox(t, db, c, func(o *payment.Options) { o.Workers = 3 })
		instances[i].subscribe("count", func(e payment.StripeWebhookReceived) error {
			n, _ := seen.LoadOrStore(e.ID, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
			return nil
		})
	}
	for i := range events { // before anyone handles them
		instances[0].deliver(event(fmt.Sprintf("evt_%d", i), "charge.succeeded")).received()
	}
	for _, in := range instances {
		in.start()
	}
	for range events {
		select {
		case <-instances[0].outcomes:
		case <-instances[1].outcomes:
		case <-time.After(patience):
			t.Fatal("not all were handled")
		}
	}
	for i := range events {
		n, ok := seen.Load(fmt.Sprintf("evt_%d", i))
		if !ok || n.(*atomic.Int64).Load() != 1 {
			t.Errorf("evt_%d was not handled once", i)
		}
	}
}

// On the embedded database each look reads the whole collection.
func TestAFloodIsHandledWithoutLooking(t *testing.T) {
	t.Parallel()
	const flood = 270 // more than there is room for
	var looks atomic.Int64
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(dbtest.NewServer(t).URI()).SetMonitor(&mongoevent.CommandMonitor{
		Started: func(_ context.Context, e *mongoevent.CommandStartedEvent) {
			if e.CommandName == "find" {
				looks.Add(1)
			}
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	in := newInbox(t, client.Database("test"), newClock(), func(o *payment.Options) { o.Workers = 1 })
	release := make(chan struct{})
	in.subscribe("slow", func(payment.StripeWebhookReceived) error { <-release; return nil })
	in.start()
	for looks.Load() == 0 {
		runtime.Gosched() // or the test times out
	}
	var senders sync.WaitGroup
	for i := range flood {
		senders.Go(func() { in.deliver(event(fmt.Sprintf("evt_%d", i), "charge.succeeded")).received() })
	}
	senders.Wait()
	close(release)
	for range flood {
		if o := in.await(); o.state != payment.StateDone {
			t.Errorf("the outcome is %v", o)
		}
	}
	if n := looks.Load(); n != 1 {
		t.Errorf("looked %d times, want once, at the start", n)
	}
}

func TestAHandlerThatFailsTwiceHasOneSideEffect(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	var effects, other, attempt int
	in.subscribe("mark-paid", func(e payment.StripeWebhookReceived) error {
		if attempt = e.Attempt; attempt < 3 {
			return errors.New("not yet")
		}
		effects++
		return nil
	})
	in.subscribe("send-receipt", func(payment.StripeWebhookReceived) error { other++; return nil })
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.want("evt_1", payment.StatePending)
	r := in.record("evt_1")
	if want := noon.Add(payment.DefaultMinDelay); r.Due == nil || !r.Due.Equal(want) {
		t.Errorf("due %v, want %v", r.Due, want)
	}
	if diff := cmp.Diff([]payment.Fault{{Subscriber: "mark-paid", Class: "error"}}, r.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	in.clock.add(payment.DefaultMinDelay)
	in.pay.LookNow()
	in.want("evt_1", payment.StatePending)
	in.clock.add(2 * payment.DefaultMinDelay)
	in.pay.LookNow()
	in.want("evt_1", payment.StateDone)
	if effects != 1 || other != 1 || attempt != 3 {
		t.Errorf("%d effects, %d of the other, at attempt %d; want 1, 1, 3", effects, other, attempt)
	}
	if r := in.record("evt_1"); len(r.Faults) != 0 || !slices.Equal(r.Done, []string{"send-receipt", "mark-paid"}) {
		t.Errorf("the record is %+v", r)
	}
}

func TestAnEventIsNotTriedBeforeItIsDue(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Workers = 1 })
	in.subscribe("fail", func(e payment.StripeWebhookReceived) error {
		if e.ID == "evt_1" {
			return errors.New("no")
		}
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.want("evt_1", payment.StatePending)
	in.clock.add(payment.DefaultMinDelay - time.Millisecond)
	in.pay.LookNow()
	in.deliver(event("evt_1", "charge.succeeded")).received() // Stripe sends it again
	in.deliver(event("evt_2", "charge.succeeded")).received()
	in.want("evt_2", payment.StateDone)
	if r := in.record("evt_1"); r.Attempts != 1 {
		t.Errorf("tried %d times", r.Attempts)
	}
	if got := in.pay.Remembered(noon.Add(payment.DefaultMinDelay)); !slices.Equal(got, []string{"evt_1"}) {
		t.Errorf("remembered are %v", got)
	}
}

func TestASubscriberThatPanicsIsRetriedAlone(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	calls := map[string]int{}
	for _, name := range []string{"first", "panics", "last"} {
		in.subscribe(name, func(e payment.StripeWebhookReceived) error {
			calls[name]++
			if name == "panics" && e.Attempt == 1 {
				panic("whsec_a_secret_that_was_in_the_value")
			}
			return nil
		})
	}
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.want("evt_1", payment.StatePending)
	if diff := cmp.Diff([]payment.Fault{{Subscriber: "panics", Class: "panic"}}, in.record("evt_1").Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	in.clock.add(time.Minute)
	in.pay.LookNow()
	in.want("evt_1", payment.StateDone)
	if diff := cmp.Diff(map[string]int{"first": 1, "panics": 2, "last": 1}, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAnAnonymousSubscriberSeesEachTry(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	var anonymous int
	in.subscribe("", func(payment.StripeWebhookReceived) error { anonymous++; return nil })
	in.subscribe("fails-once", func(e payment.StripeWebhookReceived) error {
		if e.Attempt == 1 {
			return errors.New("no")
		}
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.want("evt_1", payment.StatePending)
	in.clock.add(time.Minute)
	in.pay.LookNow()
	in.want("evt_1", payment.StateDone)
	if anonymous != 2 {
		t.Errorf("called %d times, want 2", anonymous)
	}
}

func TestAnEventWithoutSubscribersIsDone(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil).start()
	in.deliver(event("evt_1", "something.nobody_knows")).received()
	in.want("evt_1", payment.StateDone)
}

func TestAnEventThatAlwaysFailsIsDead(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.Attempts = 3 })
	var calls int
	in.subscribe("fails", func(payment.StripeWebhookReceived) error { calls++; return errors.New("never") })
	dead := make(chan payment.EventDead, 1)
	signals.Subscribe(in.app.Signals(), func(_ context.Context, e payment.EventDead) error { dead <- e; return nil })
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.want("evt_1", payment.StatePending)
	in.clock.add(time.Minute)
	in.pay.LookNow()
	in.want("evt_1", payment.StatePending)
	in.clock.add(time.Minute)
	in.pay.LookNow()
	in.want("evt_1", payment.StateDead)
	e := receive(t, dead)
	if e.Event.ID != "evt_1" || e.Event.Attempt != 3 || len(e.Faults) != 1 || e.Faults[0].Subscriber != "fails" {
		t.Errorf("the event is %+v", e)
	}
	in.clock.add(24 * time.Hour)
	in.deliver(event("evt_1", "charge.succeeded")).received() // stays as it is
	in.pay.LookNow()
	in.deliver(event("evt_2", "charge.succeeded")).received()
	in.want("evt_2", payment.StatePending)
	if r := in.record("evt_1"); r.State != payment.StateDead || r.Attempts != 3 || calls != 4 {
		t.Errorf("after %d calls the record is %+v", calls, r)
	}
}

func TestAHandlerThatTakesTooLongIsEnded(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.HandleTimeout = time.Millisecond })
	var after int
	signals.SubscribeNamed(in.app.Signals(), "slow", func(ctx context.Context, _ payment.StripeWebhookReceived) error {
		<-ctx.Done()
		return ctx.Err()
	})
	in.subscribe("after", func(payment.StripeWebhookReceived) error { after++; return nil })
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	in.want("evt_1", payment.StatePending)
	if diff := cmp.Diff([]payment.Fault{{Subscriber: "slow", Class: "timeout"}}, in.record("evt_1").Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if after != 0 {
		t.Error("a subscriber was called whose time was over")
	}
}

func TestTheDelayGrowsToItsEnd(t *testing.T) {
	t.Parallel()
	o := payment.Options{MinDelay: 5 * time.Second, MaxDelay: time.Minute}
	var got []string
	for attempt := 1; attempt <= 6; attempt++ {
		got = append(got, o.Delay(attempt))
	}
	if diff := cmp.Diff([]string{"5s", "10s", "20s", "40s", "1m0s", "1m0s"}, got); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
}
