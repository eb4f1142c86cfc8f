package payment

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
)

const (
	// pollBatch is how many events one look at the database brings.
	pollBatch = 1000
	// pollShare is the part of the time, one in so many, that looking may take.
	pollShare = 20
	// lookTimeout is how long the database may take to find what is due, or newest:
	// the embedded one reads the whole collection for that.
	lookTimeout = 2 * time.Minute
	// freshQueue is how many events that were just stored wait for a worker. Further
	// ones are remembered as those are that are to be tried again.
	freshQueue = 256
	// sweepInterval is how often old events are removed.
	sweepInterval = time.Hour
	// pause is how long the worker leaves a database alone that has just failed it.
	pause = time.Second
)

// worker handles events beside the requests. What is in its channels are hints: an
// event is handled by who has claimed it in the database, and what is lost here is
// found there.
type worker struct {
	service *Service
	fresh   chan string   // just stored here
	due     chan string   // found by looking
	wake    chan struct{} // look now
	more    chan struct{} // later has something that is due
	later   later

	taking     <-chan struct{}    // closed when no more events are taken
	stopTaking context.CancelFunc // closes it
	abandon    context.CancelFunc // those in hand end now
	running    sync.WaitGroup
	stopping   bool // under Service.lifecycle
}

// startWorker starts a worker; ctx is only where its values come from. Stripe is
// asked for what happened from missed on, unless that is zero.
func (s *Service) startWorker(ctx context.Context, missed time.Time) *worker {
	handling, abandon := context.WithCancel(context.WithoutCancel(ctx))
	taking, stopTaking := context.WithCancel(handling)
	w := &worker{
		service: s, taking: taking.Done(), stopTaking: stopTaking, abandon: abandon,
		fresh: make(chan string, freshQueue), due: make(chan string),
		wake: make(chan struct{}, 1), more: make(chan struct{}, 1),
	}
	for range s.opts.Workers {
		w.running.Go(func() { w.handle(taking, handling) })
	}
	w.running.Go(func() { w.look(taking) })
	w.running.Go(func() { w.sweep(taking) })
	if !missed.IsZero() {
		w.running.Go(func() { w.catchUp(taking, missed) })
	}
	return w
}

// stop takes no more events and waits for those in hand. When ctx is done, their
// context ends, too, and nobody waits for them any more.
func (w *worker) stop(ctx context.Context) error {
	w.stopping = true
	w.stopTaking()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.running.Wait()
	}()
	select {
	case <-stopped:
		w.abandon()
		return nil
	case <-ctx.Done():
		w.abandon()
		return ctx.Err()
	}
}

// offer has an event handled that was just stored, if a worker runs.
func (s *Service) offer(id string) {
	w := s.worker.Load()
	if w == nil {
		return
	}
	select {
	case w.fresh <- id:
	default:
		if w.later.add(id, s.now()) {
			signal(w.more)
		} else {
			signal(w.wake)
		}
	}
}

// signal tells who waits on a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is about to be heard
	}
}

// handle handles events, one after the other.
func (w *worker) handle(taking, handling context.Context) {
	for taking.Err() == nil {
		var id string
		select {
		case <-taking.Done():
			return
		case id = <-w.fresh:
		case id = <-w.due:
		}
		if err := w.service.handle(handling, id); err != nil {
			w.service.log().LogAttrs(handling, slog.LevelWarn, "payment: an event could not be claimed",
				slog.String("event", id), slog.Any("error", err))
			sleep(taking, pause)
		}
	}
}

// look hands out what is remembered, every Poll, and looks for other events
// that are due: at once, and then every Poll or more seldom, where looking takes long.
func (w *worker) look(taking context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var next time.Time
	for {
		now := time.Now() //nolint:forbidigo // for pauses, by whatever clock
		select {
		case <-taking.Done():
			return
		case <-timer.C:
		case <-w.more:
		case <-w.wake:
			next = now
		}
		w.handOut(taking, w.later.take(w.service.now()))
		if now = time.Now(); !now.Before(next) { //nolint:forbidigo // as above
			next = now.Add(max(w.service.opts.Poll, w.takeDue(taking)*(pollShare-1)))
		}
		timer.Reset(w.service.opts.Poll)
	}
}

// handOut gives events to those who handle them, one by one.
func (w *worker) handOut(taking context.Context, ids []string) {
	for _, id := range ids {
		select {
		case <-taking.Done():
			return
		case w.due <- id:
		}
	}
}

// takeDue hands out all events that are due, and returns how long the longest look
// at the database took. It hands them over one by one, so that those it is shown
// again are few.
func (w *worker) takeDue(taking context.Context) (longest time.Duration) {
	for taking.Err() == nil {
		began := time.Now() //nolint:forbidigo // how long it takes, not what time it is
		ids, err := w.service.dueEvents(taking)
		longest = max(longest, time.Since(began))
		if err != nil && taking.Err() == nil {
			w.service.log().LogAttrs(taking, slog.LevelWarn, "payment: looking for events failed", slog.Any("error", err))
		}
		// Instances that look at the same time begin at different ends.
		rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] }) //nolint:gosec // nobody gains by guessing it
		w.handOut(taking, ids)
		if len(ids) < pollBatch {
			return longest
		}
	}
	return longest
}

// dueEvents returns the ids of events that are due, the oldest first. Those whose
// lease is over are among them.
func (s *Service) dueEvents(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	cursor, err := s.events.Find(ctx, bson.D{{Key: fieldDue, Value: bson.D{{Key: "$lte", Value: s.now()}}}},
		options.Find().SetProjection(bson.D{{Key: fieldID, Value: 1}}).SetSort(bson.D{{Key: fieldDue, Value: 1}}).SetLimit(pollBatch))
	if err != nil {
		return nil, err
	}
	var docs []struct {
		ID string `bson:"_id"`
	}
	if err := cursor.All(ctx, &docs); err != nil {
		return nil, err
	}
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.ID
	}
	return ids, nil
}

// sweep removes what is too old, at once and then every hour.
func (w *worker) sweep(taking context.Context) {
	for {
		if _, err := w.service.sweepEvents(taking); err != nil && taking.Err() == nil {
			w.service.log().LogAttrs(taking, slog.LevelWarn, "payment: old events could not be removed", slog.Any("error", err))
		}
		if !sleep(taking, sweepInterval) {
			return
		}
	}
}

// sweepEvents removes the events that were handled longer than Keep ago.
func (s *Service) sweepEvents(ctx context.Context) (removed int64, err error) {
	res, err := s.events.DeleteMany(ctx, bson.D{
		{Key: fieldState, Value: bson.D{{Key: "$in", Value: bson.A{StateDone, StateIgnored}}}},
		{Key: fieldFinished, Value: bson.D{{Key: "$lte", Value: s.now().Add(-s.opts.Keep)}}},
	})
	if err != nil {
		return 0, err
	}
	return res.DeletedCount, nil
}

// sleep waits, and reports whether it was to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
