package auth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

type signupRequest struct {
	Key      *string          `json:"_key"`
	Password *string          `json:"_password"`
	Document extjson.Document `json:"document"`
}

type signupAnswer struct {
	ID string `json:"_id"`
}

// HandleSignup makes an account: POST /signup and /signup/:collection.
func (s *Service) HandleSignup(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	account, err := s.parseSignup(c)
	if err != nil {
		return err
	}
	user, err := s.SignUp(c.Request().Context(), account)
	if err != nil {
		return err
	}
	if location := s.location(c, user); location != "" {
		c.Response().Header().Set(echo.HeaderLocation, location)
	}
	return c.JSON(http.StatusCreated, signupAnswer{ID: user.ID})
}

func (s *Service) parseSignup(c echo.Context) (Account, error) {
	if err := noQuery(c); err != nil {
		return Account{}, err
	}
	collection, err := s.pathCollection(c)
	if err != nil {
		return Account{}, err
	}
	var body signupRequest
	if err := strict.Body(c, MaxBody, &body); err != nil {
		return Account{}, err
	}
	if body.Key == nil {
		return Account{}, service.Invalid(fieldKey, "is required")
	}
	account := Account{Collection: collection, Key: *body.Key, Client: client(c)}
	if body.Password != nil {
		account.Password = *body.Password
		if err := password.Check(account.Password); err != nil {
			return Account{}, err
		}
	}
	if body.Document != nil {
		doc := bson.Raw(body.Document)
		account.Document = doc
		return account, s.checkNewDocument(c.Request().Context(), doc)
	}
	return account, nil
}

// checkNewDocument refuses what a document from outside may not have.
func (s *Service) checkNewDocument(ctx context.Context, doc bson.Raw) error {
	if err := queryRules().Document(doc); err != nil {
		return err
	}
	elements, err := doc.Elements()
	if err != nil {
		return err
	}
	for _, e := range elements {
		if err := s.checkSettable(ctx, "document.", e.Key()); err != nil {
			return err
		}
	}
	return nil
}

// location returns the path of a user, where this route is one of a mounted
// table: that of sign-up with the route of users beside it.
func (s *Service) location(c echo.Context, u *User) string {
	route := strings.TrimSuffix(strings.TrimSuffix(c.Path(), "/"), "/:collection")
	base, ok := strings.CutSuffix(route, "/signup")
	if !ok || !serves(c.Echo(), http.MethodGet, base+"/users/:key") {
		return ""
	}
	// The base may have parameters, so its segments are those of the request.
	segments := strings.Split(c.Request().URL.EscapedPath(), "/")
	mounted := min(strings.Count(base, "/")+1, len(segments))
	location := strings.Join(segments[:mounted], "/") + "/users/" + url.PathEscape(u.Key)
	if u.collection != s.opts.Collections[0] {
		location += "?collection=" + url.QueryEscape(u.collection)
	}
	return location
}

// serves reports whether an echo has a route.
func serves(e *echo.Echo, method, path string) bool {
	return slices.ContainsFunc(e.Routes(), func(r *echo.Route) bool { return r.Method == method && r.Path == path })
}
