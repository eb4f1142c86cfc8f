package payment

import (
	"encoding/json"
	"time"
)

// State is where an event stands.
type State string

// The states of an event.
const (
	// StatePending waits for its turn, or for its next try.
	StatePending State = "pending"
	// StateLeased is in the hands of an instance, until its lease is over.
	StateLeased State = "leased"
	// StateDone was handled by all its subscribers.
	StateDone State = "done"
	// StateDead has failed as often as Options.Attempts says, and is left alone until
	// it is replayed.
	StateDead State = "dead"
	// StateIgnored is of the other mode than our key: an event of a test at a gateway
	// that takes real money, or the other way round. It is left alone until it is
	// replayed.
	StateIgnored State = "ignored"
)

// Record is an event as the inbox keeps it.
type Record struct {
	// ID is the id of the event at Stripe.
	ID string `bson:"_id" json:"id"`
	// Type is what happened, such as "invoice.paid".
	Type string `bson:"type" json:"type"`
	// APIVersion is the version of the API that the event is written in.
	APIVersion string `bson:"api_version,omitempty" json:"api_version,omitempty"`
	// Livemode says that it is about real money.
	Livemode bool `bson:"livemode" json:"livemode"`
	// Account is the connected account, empty for one's own.
	Account string `bson:"account,omitempty" json:"account,omitempty"`
	// Created is when it happened, by Stripe's clock; where Stripe did not say, when
	// it was stored.
	Created time.Time `bson:"created" json:"created"`
	// Received is when it was stored.
	Received time.Time `bson:"received" json:"received"`
	// State is where it stands.
	State State `bson:"state" json:"state"`
	// Attempts counts the tries.
	Attempts int `bson:"attempts" json:"attempts"`
	// Due is when it is tried next, or when its lease is over; nil where neither is.
	Due *time.Time `bson:"due,omitempty" json:"due,omitempty"`
	// Finished is when it was done or dead; nil before that.
	Finished *time.Time `bson:"finished,omitempty" json:"finished,omitempty"`
	// Done are the names of the subscribers that are done with it.
	Done []string `bson:"done" json:"done"`
	// Faults are those that failed at the latest try.
	Faults []Fault `bson:"faults" json:"faults"`
	// Payload is the event as Stripe sent it. Lists leave it out.
	Payload json.RawMessage `bson:"-" json:"-"`
}

// stored is a document of the inbox.
type stored struct {
	Record `bson:",inline"`

	Lease string `bson:"lease,omitempty"` // names the try that holds it
	// Text is the payload, as it came.
	Text string `bson:"payload"`
}

// The fields that filters and updates name.
const (
	fieldID       = "_id"
	fieldType     = "type"
	fieldCreated  = "created"
	fieldState    = "state"
	fieldAttempts = "attempts"
	fieldDue      = "due"
	fieldFinished = "finished"
	fieldDone     = "done"
	fieldFaults   = "faults"
	fieldLease    = "lease"
	fieldPayload  = "payload"
)

// record returns the record with its payload.
func (d stored) record() Record {
	r := d.Record
	r.Payload = json.RawMessage(d.Text)
	return r
}

// event returns what subscribers are told.
func (d stored) event() StripeWebhookReceived {
	e := StripeWebhookReceived{
		ID: d.ID, Type: d.Type, APIVersion: d.APIVersion, Livemode: d.Livemode, Account: d.Account,
		Created: d.Created, Payload: json.RawMessage(d.Text), Attempt: d.Attempts,
	}
	if envelope, err := parseEnvelope(e.Payload); err == nil {
		e.Object = envelope.Object
	}
	return e
}
