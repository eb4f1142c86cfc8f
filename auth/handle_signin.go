package auth

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

type signinRequest struct {
	Key      *string          `json:"_key"`
	Password *string          `json:"_password"`
	Query    extjson.Document `json:"query"`
}

// grantAnswer is what a sign-in of any kind answers (names of RFC 6749, section 5.1).
type grantAnswer struct {
	Token        string `json:"token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
	User         *User  `json:"user"`
}

// HandleSignin begins a session: POST /signin and /signin/:collection.
func (s *Service) HandleSignin(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	credentials, err := s.parseSignin(c)
	if err != nil {
		return err
	}
	grant, err := s.SignIn(c.Request().Context(), credentials)
	if err != nil {
		return err
	}
	return s.writeGrant(c, grant)
}

func (s *Service) parseSignin(c echo.Context) (Credentials, error) {
	if err := noQuery(c); err != nil {
		return Credentials{}, err
	}
	collection, err := s.pathCollection(c)
	if err != nil {
		return Credentials{}, err
	}
	var body signinRequest
	if err := strict.Body(c, maxSmallBody, &body); err != nil {
		return Credentials{}, err
	}
	if body.Key == nil {
		return Credentials{}, service.Invalid(fieldKey, "is required")
	}
	if body.Password == nil {
		return Credentials{}, service.Invalid(fieldPassword, "is required")
	}
	credentials := Credentials{Collection: collection, Key: *body.Key, Password: *body.Password, Client: client(c)}
	query, err := checkQuery(bson.Raw(body.Query))
	if query != nil {
		credentials.Query = query
	}
	return credentials, err
}

// writeGrant answers with tokens, for servers, and a cookie, for browsers.
func (s *Service) writeGrant(c echo.Context, g *Grant) error {
	s.setCookie(c, g)
	return c.JSON(http.StatusOK, grantAnswer{
		Token: g.AccessToken, TokenType: "Bearer", ExpiresIn: int64(g.ExpiresIn / time.Second),
		RefreshToken: g.RefreshToken, User: g.User,
	})
}
