package auth

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

type sessionAnswer struct {
	User    *User   `json:"user"`
	Session Session `json:"session"`
}

// HandleSession tells who is signed in: GET /session and /session/:collection.
// Mounted without a guard, it finds the user by itself, as all handlers do that
// are about the signed-in user.
func (s *Service) HandleSession(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	if err := noQuery(c); err != nil {
		return err
	}
	user, err := s.caller(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, sessionAnswer{User: user, Session: user.session})
}

// HandleSessions lists the sessions of the signed-in user: GET /sessions.
func (s *Service) HandleSessions(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	if err := noQuery(c); err != nil {
		return err
	}
	user, err := s.caller(c)
	if err != nil {
		return err
	}
	sessions, err := s.Sessions(c.Request().Context(), user)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, sessions)
}

// HandleEndSession ends one session of the signed-in user: DELETE /sessions/:id.
func (s *Service) HandleEndSession(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	if err := noQuery(c); err != nil {
		return err
	}
	id, err := service.Param(c, "id")
	if err != nil {
		return err
	}
	user, err := s.caller(c)
	if err != nil {
		return err
	}
	if err := s.EndSession(c.Request().Context(), user, id); err != nil {
		return err
	}
	if id == user.session.ID {
		s.clearCookie(c, user.collection)
	}
	return c.NoContent(http.StatusNoContent)
}

// HandleEndSessions ends all sessions of the signed-in user but the present one:
// DELETE /sessions?scope=others.
func (s *Service) HandleEndSessions(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	query, err := strict.ParseQuery(c.Request().URL, "scope")
	if err != nil {
		return err
	}
	if query.String("scope") != "others" {
		return service.Invalid("scope", `must be "others"`)
	}
	user, err := s.caller(c)
	if err != nil {
		return err
	}
	if err := s.EndOtherSessions(c.Request().Context(), user); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
