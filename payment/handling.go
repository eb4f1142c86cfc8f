package payment

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/signals"
)

var (
	// errLeaseLost ends the context of subscribers whose event another instance may
	// have by now.
	errLeaseLost = errors.New("payment: the lease of the event is lost")
	// errAbandoned is how a try went whose lease ran out.
	errAbandoned = errors.New("payment: whoever had the event did not live to say how it went")
	// errStripeAway is how the derivation went of an event that did not ask Stripe.
	errStripeAway = errors.New("payment: Stripe does not answer, and another event is asking")
)

// try is one try of an event, by who holds its lease.
type try struct {
	*Service

	doc       stored
	abandoned bool     // the try before this one came to no end
	done      []string // who need not see the event again
	faults    []Fault
	closed    bool      // the bus takes no more events
	next      time.Time // when it is tried again, if it is
}

// handle tries an event if it is due. Its error is that of the claim: nothing has
// happened then.
func (s *Service) handle(ctx context.Context, id string) error {
	t, err := s.claim(ctx, id)
	if err != nil || t == nil {
		return err
	}
	if t.abandoned {
		// It may have killed its process: that counts as any failure, and the next
		// try comes as late.
		t.fail(ctx, "", errAbandoned)
	} else {
		t.run(ctx)
	}
	t.settle(ctx)
	return nil
}

// claim takes the lease of an event that is due, or returns nil: it was handled, or
// another has it.
func (s *Service) claim(ctx context.Context, id string) (*try, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	now := s.now()
	lease, due := rand.Text(), now.Add(s.opts.Lease)
	t := &try{Service: s}
	err := s.events.FindOneAndUpdate(ctx,
		bson.D{{Key: fieldID, Value: id}, {Key: fieldDue, Value: bson.D{{Key: "$lte", Value: now}}}},
		bson.D{
			{Key: "$set", Value: bson.D{{Key: fieldState, Value: StateLeased}, {Key: fieldLease, Value: lease}, {Key: fieldDue, Value: due}}},
			{Key: "$inc", Value: bson.D{{Key: fieldAttempts, Value: int64(1)}}},
		},
	).Decode(&t.doc) // as it was before
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t.abandoned = t.doc.State == StateLeased
	if !t.abandoned {
		t.doc.Attempts++
	}
	t.doc.State, t.doc.Lease, t.doc.Due = StateLeased, lease, &due
	t.done = slices.Clone(t.doc.Done)
	return t, nil
}

// run gives the event to its subscribers while the lease is renewed.
func (t *try) run(ctx context.Context) {
	leased, lose := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { t.renew(leased, lose) })
	defer renewing.Wait()
	defer lose(nil)
	timed, end := context.WithTimeout(leased, t.opts.HandleTimeout)
	defer end()
	overdue := time.AfterFunc(t.opts.HandleTimeout+t.opts.Lease, func() { t.overdue(ctx) })
	defer overdue.Stop()
	t.deliver(timed)
}

// overdue tells of a subscriber that does not heed its context, for it may never
// return.
func (t *try) overdue(ctx context.Context) {
	t.log().LogAttrs(ctx, slog.LevelError, "payment: a subscriber goes on though its time is over, and keeps a worker from other events",
		slog.String("event", t.doc.ID), slog.String("type", t.doc.Type), slog.Any("done", t.doc.Done))
}

// deliver gives the event, and what follows from it, to the subscribers. That what
// follows cannot be found out does not keep the event itself from them.
func (t *try) deliver(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			t.fail(ctx, "", &signals.PanicError{Subscriber: "payment", Value: v, Stack: debug.Stack()})
		}
	}()
	e := t.doc.event()
	further, err := t.deriveSafely(ctx, e)
	if err != nil {
		t.fail(ctx, "", err)
	}
	if !t.each(ctx, signals.DeliverEach(ctx, t.bus(), e, t.doc.Done)) {
		return
	}
	for _, deliver := range further {
		if !t.each(ctx, deliver(ctx, t.bus(), t.doc.Done)) {
			return
		}
	}
}

// deriveSafely is derive whose panic is an error, and which does not ask a Stripe
// that does not answer.
func (t *try) deriveSafely(ctx context.Context, e StripeWebhookReceived) (further []derived, err error) {
	if _, asks := t.derivers()[e.Type]; !asks {
		return nil, nil
	}
	if !t.breaker.enter() {
		return nil, errStripeAway
	}
	began := time.Now() //nolint:forbidigo // how long it takes, not what time it is
	defer func() {
		if v := recover(); v != nil {
			err = &signals.PanicError{Subscriber: "payment", Value: v, Stack: debug.Stack()}
		}
		_, ofStripe := errors.AsType[*StripeError](err)
		t.breaker.leave(ofStripe && time.Since(began) > t.opts.CallTimeout/2)
	}()
	return t.derive(ctx, e)
}

// each records who is done and who failed, and reports whether to go on: not when
// the time is over, for the others would only fail by it.
func (t *try) each(ctx context.Context, subscribers iter.Seq2[string, error]) bool {
	for name, err := range subscribers {
		switch {
		case errors.Is(err, signals.ErrClosed):
			t.closed = true
			return false
		case err != nil:
			t.fail(ctx, name, err)
		case name != "":
			t.done = append(t.done, name)
			t.recordDone(ctx)
		}
		if ctx.Err() != nil {
			if len(t.faults) == 0 {
				t.fail(ctx, "", context.Cause(ctx)) // those who were not reached
			}
			return false
		}
	}
	return true
}

// recordDone stores who is done, so that even the end of the process would not have
// them see the event again. Where that fails the end of the try stores them.
func (t *try) recordDone(ctx context.Context) {
	_, err := t.update(ctx, bson.D{{Key: "$set", Value: bson.D{{Key: fieldDone, Value: t.done}}}})
	if err != nil {
		t.log().LogAttrs(ctx, slog.LevelWarn, "payment: who is done with an event could not be stored yet",
			slog.String("event", t.doc.ID), slog.Any("error", err))
	}
}

// fail records a failure. The words of the error go to the log only.
func (t *try) fail(ctx context.Context, name string, err error) {
	f := Fault{Subscriber: name, Class: classOf(err)}
	t.faults = append(t.faults, f)
	t.log().LogAttrs(ctx, slog.LevelWarn, "payment: a subscriber failed",
		slog.String("event", t.doc.ID), slog.String("type", t.doc.Type), slog.Int("attempt", t.doc.Attempts),
		slog.String("subscriber", name), slog.String("class", f.Class), slog.Any("error", err))
}

// renew renews the lease until ctx ends. Once another may have the event, it ends
// ctx: when the lease is over, however long the database takes to say so.
func (t *try) renew(ctx context.Context, lose context.CancelCauseFunc) {
	over := time.AfterFunc(t.doc.Due.Sub(t.now()), func() { lose(errLeaseLost) })
	defer over.Stop()
	for sleep(ctx, t.opts.Lease/3) {
		next := t.now().Add(t.opts.Lease)
		held, err := t.update(ctx, bson.D{{Key: "$set", Value: bson.D{{Key: fieldDue, Value: next}}}})
		switch {
		case err == nil && held:
			over.Reset(next.Sub(t.now()))
		case err == nil:
			lose(errLeaseLost)
			return
		}
	}
}

// update changes the event if this try still holds its lease, and reports whether
// it does. It goes on when ctx is cancelled.
func (t *try) update(ctx context.Context, update bson.D) (held bool, err error) {
	ctx, cancel := t.bound(context.WithoutCancel(ctx))
	defer cancel()
	res, err := t.events.UpdateOne(ctx, bson.D{{Key: fieldID, Value: t.doc.ID}, {Key: fieldLease, Value: t.doc.Lease}}, update)
	if err != nil {
		return false, err
	}
	return res.MatchedCount > 0, nil
}

// settle ends the try: the event is done, dead, or due again later. While the
// database is away it does not give up before ctx ends: what the subscribers did
// should not be forgotten.
func (t *try) settle(ctx context.Context) {
	state, update := t.outcome(ctx)
	for {
		held, err := t.update(ctx, update)
		if err == nil {
			if held {
				t.settled(ctx, state)
			}
			return
		}
		t.log().LogAttrs(ctx, slog.LevelWarn, "payment: how an event went could not be stored",
			slog.String("event", t.doc.ID), slog.Any("error", err))
		if !sleep(ctx, pause) {
			return
		}
	}
}

// outcome returns the state that the event comes into, and the update for it.
func (t *try) outcome(ctx context.Context) (State, bson.D) {
	now := t.now()
	set := bson.D{{Key: fieldDone, Value: append([]string{}, t.done...)}, {Key: fieldFaults, Value: append([]Fault{}, t.faults...)}}
	unset := bson.D{{Key: fieldLease, Value: ""}}
	attempts, state := t.doc.Attempts, StateDone
	switch {
	case t.closed || ctx.Err() != nil && len(t.faults) > 0: // we are going: this was no try
		state, attempts = StatePending, attempts-1
		if t.closed {
			now = now.Add(t.opts.MinDelay) // lest it be taken again at once
		}
		t.next = now
		set = append(set, bson.E{Key: fieldDue, Value: t.next})
	case len(t.faults) == 0, t.doc.Attempts >= t.opts.Attempts:
		if len(t.faults) > 0 {
			state = StateDead
		}
		set = append(set, bson.E{Key: fieldFinished, Value: now})
		unset = append(unset, bson.E{Key: fieldDue, Value: ""})
	default:
		state = StatePending
		t.next = now.Add(t.opts.delay(t.doc.Attempts))
		set = append(set, bson.E{Key: fieldDue, Value: t.next})
	}
	set = append(set, bson.E{Key: fieldState, Value: state}, bson.E{Key: fieldAttempts, Value: int64(attempts)})
	return state, bson.D{{Key: "$set", Value: set}, {Key: "$unset", Value: unset}}
}

// delay returns how long after the given try, counted from 1, the next one is due.
func (o Options) delay(attempt int) time.Duration {
	d := o.MinDelay
	for range attempt - 1 {
		if d >= o.MaxDelay/2 {
			return o.MaxDelay
		}
		d *= 2
	}
	return d
}

// settled tells of a try that has ended.
func (t *try) settled(ctx context.Context, state State) {
	if state == StateDead {
		t.log().LogAttrs(ctx, slog.LevelError, "payment: an event is dead: replay it once the cause is removed",
			slog.String("event", t.doc.ID), slog.String("type", t.doc.Type), slog.Int("attempts", t.doc.Attempts),
			slog.String("faults", fmt.Sprint(t.faults)))
		signals.Announce(ctx, t.bus(), EventDead{Event: t.doc.event(), Faults: t.faults})
	}
	if w := t.worker.Load(); w != nil && state == StatePending {
		w.later.add(t.doc.ID, t.next)
	}
	if t.observe != nil {
		t.observe(t.doc.ID, state)
	}
}
