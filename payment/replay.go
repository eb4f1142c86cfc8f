package payment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/bson"
)

// ReplayFilter says which events [Service.Replay] has handled again, and by whom.
type ReplayFilter struct {
	// EventFilter says which events. It must say something. Without States it means
	// events in any of them.
	EventFilter
	// Again has all subscribers see the events again, those that are done included.
	// Without it and Subscribers only those that are not done do: they failed, or
	// subscribed later. Subscribers without a name see them in any case.
	Again bool
	// Subscribers has those with these names see the events again. The name of one of
	// another event than [StripeWebhookReceived] has that before it, as in
	// Record.Done.
	Subscribers []string
	// DryRun changes nothing: the report says what would be queued.
	DryRun bool
	// Limit is how many events are replayed at most, the newest first. 0 means
	// MaxLimit, which is also the most.
	Limit int64
}

// ReplayReport says what Replay did.
type ReplayReport struct {
	// Queued are the ids of the events that are to be handled again, soon: no
	// subscriber has seen them yet.
	Queued []string `json:"queued"`
	// Busy are the ids of those that were passed over, because an instance had them
	// in its hands.
	Busy []string `json:"busy"`
	// More says that there are more than Limit.
	More bool `json:"more"`
	// DryRun says that nothing was changed.
	DryRun bool `json:"dry_run"`
}

// Replay has events handled again: they become due now, with all their attempts
// before them. Who is done with an event does not see it again, unless the filter
// says so. The worker of any instance takes them up.
func (s *Service) Replay(ctx context.Context, f ReplayFilter) (ReplayReport, error) {
	report := ReplayReport{Queued: []string{}, Busy: []string{}, DryRun: f.DryRun}
	switch {
	case f.isZero():
		return report, &errFilter{"ids", "or types, states, since or until must be given"}
	case f.Limit < 0 || f.Limit > MaxLimit:
		return report, &errFilter{"limit", fmt.Sprintf("must be 1 to %d", MaxLimit)}
	}
	limit := cmp.Or(f.Limit, MaxLimit)
	records, err := s.Events(ctx, f.EventFilter, Page{Limit: limit + 1})
	if err != nil {
		return report, err
	}
	if report.More = int64(len(records)) > limit; report.More {
		records = records[:limit]
	}
	for _, r := range records {
		queued, err := s.replayOne(ctx, r, f)
		switch {
		case err != nil:
			return report, fmt.Errorf("payment: replaying %s: %w", r.ID, err)
		case queued:
			report.Queued = append(report.Queued, r.ID)
		default:
			report.Busy = append(report.Busy, r.ID)
		}
	}
	return report, nil
}

// replayOne makes an event due, as if it had just come, if it still stands where it
// stood when the record was read. It reports whether it did.
func (s *Service) replayOne(ctx context.Context, r Record, f ReplayFilter) (queued bool, err error) {
	if r.State == StateLeased && (r.Due == nil || r.Due.After(s.now())) {
		return false, nil
	}
	if f.DryRun {
		return true, nil
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	res, err := s.events.UpdateOne(ctx,
		bson.D{{Key: fieldID, Value: r.ID}, {Key: fieldState, Value: r.State}, {Key: fieldAttempts, Value: r.Attempts}},
		bson.D{
			{Key: "$set", Value: bson.D{
				{Key: fieldState, Value: StatePending},
				{Key: fieldDue, Value: s.now()},
				{Key: fieldAttempts, Value: int64(0)},
				{Key: fieldDone, Value: f.stillDone(r.Done)},
				{Key: fieldFaults, Value: []Fault{}},
			}},
			{Key: "$unset", Value: bson.D{{Key: fieldFinished, Value: ""}, {Key: fieldLease, Value: ""}}},
		})
	if err != nil {
		return false, err
	}
	if res.MatchedCount == 0 {
		return false, nil // it has just been taken up
	}
	s.offer(r.ID)
	return true, nil
}

// stillDone returns those of the names that need not see the event again.
func (f ReplayFilter) stillDone(done []string) []string {
	left := []string{}
	for _, name := range done {
		if !f.Again && !slices.Contains(f.Subscribers, name) {
			left = append(left, name)
		}
	}
	return left
}
