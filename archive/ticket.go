package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// ticketSuffix follows the name of the records' collection in that of spent tickets.
const ticketSuffix = "_TICKETS"

// fieldExpires is when a spent ticket can be forgotten, since it holds no more.
const fieldExpires = "expires"

// TicketOptions are the optional settings of [Service.Ticket].
type TicketOptions struct {
	// Collection is the name space of the file. Defaults to "", the default one.
	Collection string
	// MaxBytes is how large the file may be, at most Options.MaxBytes. Defaults to that.
	MaxBytes int64
	// Types lists what may be uploaded, as Options.Types, which holds besides.
	// Defaults to every type.
	Types []string
	// Expires is how long the ticket holds, at most MaxExpires. Defaults to DefaultExpires.
	Expires time.Duration
	// Name is what the file will be called. Defaults to "": as the uploader says.
	Name string
	// Metadata is what is to be known of the file, anything that has a BSON form of
	// a document; it travels in the address, and so is a kilobyte or two at most.
	// Defaults to nil: the uploader may say. What is to be relied on, such as whose
	// the file is, belongs here.
	Metadata any
}

// Ticket is an address to which one file can be uploaded, without the API key: it is
// for browsers and apps. The form is that of any other upload.
type Ticket struct {
	// URL is the address: relative to the host where the App has no BaseURL.
	URL string `json:"url"`
	// Expires is when it ends, in UTC and whole seconds.
	Expires time.Time `json:"expires"`
}

// ticketClaims is what a ticket says.
type ticketClaims struct {
	ID         string   `json:"i"`
	Collection string   `json:"c,omitempty"`
	MaxBytes   int64    `json:"b"`
	Types      []string `json:"t,omitempty"`
	Name       string   `json:"n,omitempty"`
	Metadata   string   `json:"m,omitempty"` // Extended JSON, "" where the uploader may say
	Expires    int64    `json:"e"`
}

// Ticket returns a ticket. It writes nothing: what is allowed is in the ticket, and
// only its use is remembered. It returns ErrLinksOff without Options.Secret, and an
// *OptionError.
func (s *Service) Ticket(_ context.Context, opts *TicketOptions) (Ticket, error) {
	if opts == nil {
		opts = &TicketOptions{}
	}
	if s.tickets == nil {
		return Ticket{}, ErrLinksOff
	}
	expires, err := s.expiry(opts.Expires)
	if err != nil {
		return Ticket{}, err
	}
	if err := s.checkTicket(opts); err != nil {
		return Ticket{}, err
	}
	claims := ticketClaims{
		ID: newKey(), Collection: opts.Collection, MaxBytes: cmp.Or(opts.MaxBytes, s.opts.MaxBytes), Types: opts.Types,
		Name: opts.Name, Expires: expires.Unix(),
	}
	if opts.Metadata != nil {
		raw, err := bson.Marshal(opts.Metadata)
		if err != nil {
			return Ticket{}, fmt.Errorf("archive: Metadata: %w", err)
		}
		text, err := extjson.AppendRelaxed(nil, raw)
		if err != nil {
			return Ticket{}, fmt.Errorf("archive: Metadata: %w", err)
		}
		claims.Metadata = string(text)
	}
	signed, err := s.tickets.sign(claims)
	if err != nil {
		return Ticket{}, err
	}
	return Ticket{URL: s.address("tickets", claims.ID, signed), Expires: expires}, nil
}

// checkTicket returns what is wrong with the options of a ticket.
func (s *Service) checkTicket(opts *TicketOptions) error {
	if opts.Collection != "" && !isSpace(opts.Collection) {
		return &OptionError{Field: "Collection", Reason: spaceRule}
	}
	if opts.MaxBytes < 0 || opts.MaxBytes > s.opts.MaxBytes {
		return &OptionError{Field: "MaxBytes", Reason: fmt.Sprintf("must be from 1 to %d", s.opts.MaxBytes)}
	}
	if len(opts.Types) > maxTicketTypes {
		return &OptionError{Field: "Types", Reason: fmt.Sprintf("must be at most %d", maxTicketTypes)}
	}
	for _, t := range opts.Types {
		if !isTypePattern(t) {
			return &OptionError{Field: "Types", Reason: "must look like application/pdf or image/*"}
		}
	}
	return nil
}

// maxTicketTypes is how many types a ticket may list.
const maxTicketTypes = 32

// openTicket returns what a presented ticket says, or errLinkInvalid or errLinkExpired.
func (s *Service) openTicket(id, signed string) (ticketClaims, error) {
	var claims ticketClaims
	if err := s.tickets.verify(signed, &claims); err != nil {
		return claims, err
	}
	if claims.ID != id {
		return claims, errLinkInvalid
	}
	if s.expired(claims.Expires) {
		return claims, errLinkExpired
	}
	return claims, nil
}

// spentTickets is the collection of the tickets that were used.
func (s *Service) spentTickets() *mongo.Collection {
	return s.db.Collection(s.opts.Collection + ticketSuffix)
}

// checkUnspent returns ErrTicketUsed for a ticket that was used, so that nobody
// uploads in vain. What decides is spend.
func (s *Service) checkUnspent(ctx context.Context, id string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.spentTickets().FindOne(ctx, byID(id), options.FindOne().SetMaxTime(s.opts.QueryTimeout)).Err()
	switch {
	case err == nil:
		return ErrTicketUsed
	case errors.Is(err, mongo.ErrNoDocuments):
		return nil
	}
	return wrap("looking for the ticket", err)
}

// spend marks a ticket as used, for one of all who try.
func (s *Service) spend(ctx context.Context, claims ticketClaims) error {
	ctx, cancel := detached(ctx, s.opts.QueryTimeout+grace)
	defer cancel()
	_, err := s.spentTickets().InsertOne(ctx, bson.D{
		{Key: fieldID, Value: claims.ID}, {Key: fieldExpires, Value: time.Unix(claims.Expires, 0).UTC()},
	})
	if mongo.IsDuplicateKeyError(err) {
		return ErrTicketUsed
	}
	return wrap("spending the ticket", err)
}

// giveBack makes a ticket good again whose file was not recorded.
func (s *Service) giveBack(ctx context.Context, id string) {
	ctx, cancel := detached(ctx, s.opts.QueryTimeout+grace)
	defer cancel()
	if _, err := s.spentTickets().DeleteOne(ctx, byID(id)); err != nil {
		s.logger().LogAttrs(ctx, slog.LevelWarn, "archive: a ticket was spent in vain", slog.Any("error", err))
	}
}

// sweepTickets forgets the tickets that hold no more in any case: an upload that
// began in time may end as late as the grace allows.
func (s *Service) sweepTickets(ctx context.Context) (int64, error) {
	res, err := s.spentTickets().DeleteMany(ctx, bson.D{{Key: fieldExpires, Value: bson.D{{Key: "$lt", Value: s.now().Add(-s.opts.Grace)}}}})
	if err != nil {
		return 0, wrap("sweeping tickets", err)
	}
	return res.DeletedCount, nil
}
