package payment

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/service"
)

// storeRetryAfter is what a sender is told whose event could not be stored. Stripe
// comes back by a timetable of its own.
const storeRetryAfter = 5 * time.Second

// store stores an event unless it is there, and has it handled soon. It reports
// whether it was new. What is there stays as it is: an event is recorded once.
//
// It goes on when the sender hangs up: what has come is kept.
func (s *Service) store(ctx context.Context, e envelope, body []byte) (fresh bool, err error) {
	ctx, cancel := s.bound(context.WithoutCancel(ctx))
	defer cancel()
	doc := s.document(e, body)
	_, err = s.events.InsertOne(ctx, doc)
	switch {
	case mongo.IsDuplicateKeyError(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("payment: storing the event %s: %w", e.ID, err)
	}
	if doc.State == StatePending {
		s.offer(e.ID)
	}
	return true, nil
}

// document returns the document of a new event.
func (s *Service) document(e envelope, body []byte) stored {
	now := s.now()
	doc := stored{Text: string(body), Record: Record{
		ID: e.ID, Type: e.Type, APIVersion: e.APIVersion, Livemode: e.Livemode, Account: e.Account,
		Created: e.Created, Received: now, State: StatePending, Due: &now, Done: []string{}, Faults: []Fault{},
	}}
	if doc.Created.IsZero() {
		doc.Created = now
	}
	if s.otherMode(e) {
		doc.State, doc.Due, doc.Finished = StateIgnored, nil, &now
	}
	return doc
}

// otherMode reports whether an event is of the other mode than our key. Stripe
// sends such ones to the live endpoints of platforms, genuinely signed: a gateway
// that takes real money would count a test's payment for one.
func (s *Service) otherMode(e envelope) bool {
	return e.ModeKnown && s.mode != modeUnknown && e.Livemode != (s.mode == modeLive)
}

// mode is what a key of Stripe's is for.
type mode int

const (
	modeUnknown mode = iota
	modeTest
	modeLive
)

// modeOf tells what a key is for by its form; other forms than those that are known
// tell nothing.
func modeOf(key string) mode {
	_, rest, _ := strings.Cut(key, "_")
	switch word, _, _ := strings.Cut(rest, "_"); word {
	case "test":
		return modeTest
	case "live":
		return modeLive
	}
	return modeUnknown
}

// notStored is the problem of an event that could not be stored.
func notStored(err error) *service.Problem {
	return &service.Problem{
		Status: http.StatusServiceUnavailable, Code: "not_stored", RetryAfter: storeRetryAfter, Err: err,
		Detail: "The event could not be stored. Send it again.",
	}
}
