package archive

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// ticketBody asks for a ticket.
type ticketBody struct {
	Collection string           `json:"collection,omitempty"`
	MaxBytes   int64            `json:"max_bytes,omitempty"`
	Types      []string         `json:"types,omitempty"`
	ExpiresIn  int64            `json:"expires_in,omitempty"`
	Name       string           `json:"name,omitempty"`
	Metadata   extjson.Document `json:"metadata,omitempty"`
}

// HandleTicket makes a ticket: POST /tickets.
func (s *Service) HandleTicket(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if s.tickets == nil {
		return service.NoRoute()
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	var body ticketBody
	if strict.HasBody(c.Request()) {
		if err := strict.Body(c, maxSignBody, &body); err != nil {
			return err
		}
	}
	if body.Collection != "" {
		if err := checkSpace(body.Collection); err != nil {
			return err
		}
	}
	if _, err := s.expiryOf(body.ExpiresIn); err != nil {
		return err
	}
	opts := &TicketOptions{
		Collection: body.Collection, MaxBytes: body.MaxBytes, Types: body.Types,
		Expires: time.Duration(body.ExpiresIn) * time.Second, Name: body.Name,
	}
	if body.Metadata != nil {
		if err := checkMetadata(body.Metadata); err != nil {
			return err
		}
		opts.Metadata = bson.Raw(body.Metadata)
	}
	ticket, err := s.Ticket(c.Request().Context(), opts)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, cacheNone, ticket)
}

// HandleTicketed keeps the file of who has a ticket: POST /tickets/:id. The ticket is
// spent between the bytes and the record: an upload that fails can be tried again,
// and of two at once one makes a file.
func (s *Service) HandleTicketed(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if s.tickets == nil {
		return service.NoRoute()
	}
	id, signed, err := presented(c)
	if err != nil {
		return err
	}
	claims, err := s.openTicket(id, signed)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := s.checkUnspent(ctx, id); err != nil {
		return err
	}
	u := upload{
		space: claims.Collection, name: claims.Name, limit: min(claims.MaxBytes, s.opts.MaxBytes),
		types: [][]string{s.opts.Types, claims.Types},
	}
	if claims.Metadata != "" {
		if u.metadata, err = extjson.Parse([]byte(claims.Metadata), extjson.MaxDepth); err != nil {
			return err
		}
	}
	spent := false
	file, err := s.upload(c, u, func() error {
		err := s.spend(ctx, claims)
		spent = err == nil
		return err
	})
	if err != nil && spent && unwritten(err) {
		s.giveBack(ctx, id)
	}
	if err != nil {
		return err
	}
	return created(c, file, 2) // tickets and the id
}
