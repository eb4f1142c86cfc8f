package archive

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// maxSignBody is how many bytes the body may have that asks for a link or a ticket.
const maxSignBody = 16 << 10

// headerReferrer is the header by which pages keep an address to themselves.
const headerReferrer = "Referrer-Policy"

// linkBody asks for a link.
type linkBody struct {
	Collection string `json:"collection,omitempty"`
	ExpiresIn  int64  `json:"expires_in,omitempty"`
	Inline     bool   `json:"inline,omitempty"`
}

// HandleLink makes a link to a file: POST /:id/link.
func (s *Service) HandleLink(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if s.links == nil {
		return service.NoRoute()
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	var body linkBody
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
	expires, err := s.expiryOf(body.ExpiresIn)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	rec, err := s.lookUp(ctx, body.Collection, id)
	if err != nil {
		return err
	}
	// Who may not have the bytes may not hand them on: of those who will use the
	// link an interceptor knows nothing.
	if err := signals.Ask(ctx, s.bus(), &Downloading{File: rec.file(), Inline: body.Inline && isInline(rec.Type)}); err != nil {
		return err
	}
	link, err := s.link(rec.file(), expires, body.Inline)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, cacheNone, link)
}

// expiryOf is expiry of what a client asks for, in seconds.
func (s *Service) expiryOf(seconds int64) (time.Time, error) {
	if seconds < 0 || seconds > int64(MaxExpires/time.Second) {
		return time.Time{}, service.Invalid("expires_in", "must be from 1 to 604800 seconds")
	}
	return s.expiry(time.Duration(seconds) * time.Second)
}

// HandleLinked answers with the bytes of a file to who has a link: GET and HEAD of
// /links/:id. Whether there is such a file shows once the signature holds.
func (s *Service) HandleLinked(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if s.links == nil {
		return service.NoRoute()
	}
	id, signed, err := presented(c)
	if err != nil {
		return err
	}
	claims, err := s.openLink(id, signed)
	if err != nil {
		return err
	}
	rec, err := s.find(c.Request().Context(), byID(claims.ID))
	if err != nil {
		return err
	}
	return s.download(c, rec, Downloading{File: rec.file(), Link: true, Inline: claims.Inline && isInline(rec.Type)})
}

// presented returns what a request names and the token it comes with.
func presented(c echo.Context) (id, signed string, err error) {
	c.Response().Header().Set(headerReferrer, "no-referrer")
	if id, err = service.Param(c, paramID); err != nil {
		return "", "", err
	}
	q, err := strict.ParseQuery(c.Request().URL, "token")
	return id, q.String("token"), err
}
