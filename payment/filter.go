package payment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// EventFilter says which events are meant: those that match all that is given. The
// zero value means all.
type EventFilter struct {
	// IDs are ids of events.
	IDs []string
	// Types are types such as "invoice.paid", or beginnings of types such as
	// "invoice.*".
	Types []string
	// States are where the events stand.
	States []State
	// Since and Until bound Record.Created: from Since on, and before Until. Zero is
	// no bound.
	Since, Until time.Time
}

// maxFilterValues is how many ids, types or states a filter may name.
const maxFilterValues = 1000

// errFilter is the mistake in a filter, naming its field.
type errFilter struct{ field, message string }

func (e *errFilter) Error() string { return "payment: " + e.field + " " + e.message }

// eventType is a type, such as "v2.core.account[requirements].updated", or the
// beginning of one with an asterisk.
var eventType = regexp.MustCompile(`^[A-Za-z0-9_.\[\]-]{1,255}(\.\*)?$`)

// isZero reports whether all events are meant.
func (f EventFilter) isZero() bool {
	return len(f.IDs) == 0 && len(f.Types) == 0 && len(f.States) == 0 && f.Since.IsZero() && f.Until.IsZero()
}

// check returns an *errFilter for the first field that makes no sense.
func (f EventFilter) check() error {
	for field, n := range map[string]int{"ids": len(f.IDs), "types": len(f.Types), "states": len(f.States)} {
		if n > maxFilterValues {
			return &errFilter{field, fmt.Sprintf("must not have more than %d values", maxFilterValues)}
		}
	}
	if slices.ContainsFunc(f.IDs, func(id string) bool { return !eventID.MatchString(id) }) {
		return &errFilter{"ids", "must be ids of events"}
	}
	if slices.ContainsFunc(f.Types, func(t string) bool { return !eventType.MatchString(t) }) {
		return &errFilter{"types", "must be types of events, or beginnings such as invoice.*"}
	}
	if slices.ContainsFunc(f.States, func(s State) bool { return !slices.Contains(states(), s) }) {
		return &errFilter{"states", "must be pending, leased, done, dead or ignored"}
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return &errFilter{"until", "must be after since"}
	}
	return nil
}

// states returns all states.
func states() []State { return []State{StatePending, StateLeased, StateDone, StateDead, StateIgnored} }

// bson returns the filter for the database.
func (f EventFilter) bson() bson.D {
	filter := bson.D{}
	if len(f.IDs) == 1 {
		filter = append(filter, bson.E{Key: fieldID, Value: f.IDs[0]}) // which every database has an index for
	} else if len(f.IDs) > 1 {
		filter = append(filter, bson.E{Key: fieldID, Value: bson.D{{Key: "$in", Value: f.IDs}}})
	}
	if len(f.Types) > 0 {
		filter = append(filter, bson.E{Key: fieldType, Value: typesFilter(f.Types)})
	}
	if len(f.States) > 0 {
		filter = append(filter, bson.E{Key: fieldState, Value: bson.D{{Key: "$in", Value: f.States}}})
	}
	created := bson.D{}
	if !f.Since.IsZero() {
		created = append(created, bson.E{Key: "$gte", Value: f.Since})
	}
	if !f.Until.IsZero() {
		created = append(created, bson.E{Key: "$lt", Value: f.Until})
	}
	if len(created) > 0 {
		filter = append(filter, bson.E{Key: fieldCreated, Value: created})
	}
	return filter
}

// typesFilter matches types and beginnings of types by one pattern.
func typesFilter(types []string) bson.D {
	patterns := make([]string, len(types))
	for i, t := range types {
		if beginning, ok := strings.CutSuffix(t, "*"); ok {
			patterns[i] = regexp.QuoteMeta(beginning)
		} else {
			patterns[i] = regexp.QuoteMeta(t) + "$"
		}
	}
	return bson.D{{Key: "$regex", Value: "^(?:" + strings.Join(patterns, "|") + ")"}}
}
