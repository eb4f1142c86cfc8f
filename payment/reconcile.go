package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/form"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

const (
	// ReconcileReach is how far back Stripe can be asked for events.
	ReconcileReach = 30 * 24 * time.Hour
	// reconcileOverlap is how long before the newest stored event the question
	// begins: events do not come in their order.
	reconcileOverlap = time.Hour
	// reconcilePage is how many events Stripe sends at once.
	reconcilePage = 100
	// catchUpDelay is when a failed catching-up is tried again. It doubles.
	catchUpDelay = time.Minute
)

// ReconcileReport says what [Service.Reconcile] found.
type ReconcileReport struct {
	// Since is from when on Stripe was asked; zero where it was not.
	Since time.Time
	// Seen is how many events Stripe has since then, Stored how many of them were not
	// in the inbox and now wait in it.
	Seen, Stored int
}

// Reconcile asks Stripe for the events since a time, ReconcileReach ago at most, and
// stores those that were missed, as if they had come by webhook. The zero time means
// an hour before the newest event that is stored; then nothing is asked where none
// is, for a gateway that begins has missed nothing.
//
// Stripe itself sends what a webhook did not take for three days. Reconcile is for
// outages that lasted longer, endpoints that were off, and peace of mind. Events
// are stored the oldest first, so that one that was broken off can begin anew.
func (s *Service) Reconcile(ctx context.Context, since time.Time) (ReconcileReport, error) {
	if since.IsZero() {
		var err error
		if since, err = s.missedSince(ctx); err != nil || since.IsZero() {
			return ReconcileReport{}, err
		}
	}
	now := s.now()
	if earliest := now.Add(-ReconcileReach); since.Before(earliest) {
		since = earliest
	}
	report := ReconcileReport{Since: since}
	if err := s.reconcile(ctx, window{since, now}, &report); err != nil {
		return report, fmt.Errorf("payment: reconciling: %w", err)
	}
	return report, nil
}

// window is from when and until when events are asked for. Without an end, those
// that come meanwhile would push others from page to page.
type window struct{ since, until time.Time }

// eventPage is a page of Stripe's list, the newest first.
type eventPage struct {
	stripe.APIResource
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
}

// last returns the id of the last event, after which the next page begins.
func (p *eventPage) last() string {
	e, err := parseEnvelope(p.Data[len(p.Data)-1])
	if err != nil {
		return ""
	}
	return e.ID
}

// reconcile stores the missed events of a window, the oldest first. Stripe lists the
// newest first, so it goes through the pages twice, unless there is only one: there
// to see where they begin, and back.
func (s *Service) reconcile(ctx context.Context, w window, report *ReconcileReport) error {
	begins := []string{""}
	page, err := s.eventPage(ctx, w, "")
	for err == nil && page.HasMore && len(page.Data) > 0 {
		last := page.last()
		if last == "" || last == begins[len(begins)-1] {
			return errors.New("a page of Stripe's list does not lead on") // and would be read for ever
		}
		begins = append(begins, last)
		page, err = s.eventPage(ctx, w, last)
	}
	for i := len(begins) - 1; err == nil; i-- {
		if err := s.storePage(ctx, page, report); err != nil || i == 0 {
			return err
		}
		page, err = s.eventPage(ctx, w, begins[i-1])
	}
	return err
}

// eventPage asks Stripe for the events of a window after the one with an id. It does
// without the SDK's type of an event, which would lose what it does not know.
func (s *Service) eventPage(ctx context.Context, w window, after string) (*eventPage, error) {
	query := &form.Values{}
	query.Add("limit", strconv.Itoa(reconcilePage))
	query.Add("created[gte]", strconv.FormatInt(w.since.Unix(), 10))
	query.Add("created[lt]", strconv.FormatInt(w.until.Unix()+1, 10))
	if after != "" {
		query.Add("starting_after", after)
	}
	return call(ctx, s, "list events", func(ctx context.Context) (*eventPage, error) {
		page, p, events := new(eventPage), params(ctx, ""), s.stripe.Events
		return page, events.B.CallRaw(http.MethodGet, "/v1/events", events.Key, query, &p, page)
	})
}

// storePage stores the events of a page that are not in the inbox.
func (s *Service) storePage(ctx context.Context, page *eventPage, report *ReconcileReport) error {
	for _, raw := range slices.Backward(page.Data) {
		report.Seen++
		e, err := parseEnvelope(raw)
		if err != nil {
			s.log().LogAttrs(ctx, slog.LevelWarn, "payment: Stripe lists an event that is none", slog.Any("error", err))
			continue
		}
		fresh, err := s.store(ctx, e, raw)
		if err != nil {
			return err
		}
		if fresh {
			report.Stored++
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// catchUp asks for what was missed until that has succeeded.
func (w *worker) catchUp(taking context.Context, since time.Time) {
	for delay := catchUpDelay; ; delay = min(2*delay, DefaultMaxDelay) {
		report, err := w.service.Reconcile(taking, since)
		if err == nil {
			w.service.log().LogAttrs(taking, slog.LevelInfo, "payment: asked Stripe for missed events",
				slog.Time("since", report.Since), slog.Int("seen", report.Seen), slog.Int("stored", report.Stored))
			return
		}
		if taking.Err() != nil {
			return
		}
		w.service.log().LogAttrs(taking, slog.LevelWarn, "payment: asking Stripe for missed events failed", slog.Any("error", err))
		if !sleep(taking, delay) {
			return
		}
	}
}

// missedSince returns from when on events may have been missed: zero where none is
// stored.
func (s *Service) missedSince(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var newest Record
	// What claims to be of the future says nothing about what was missed.
	err := s.events.FindOne(ctx, bson.D{{Key: fieldCreated, Value: bson.D{{Key: "$lte", Value: s.now()}}}}, options.FindOne().SetSort(newestFirst()).
		SetProjection(bson.D{{Key: fieldCreated, Value: 1}})).Decode(&newest)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return newest.Created.Add(-reconcileOverlap), nil
}
