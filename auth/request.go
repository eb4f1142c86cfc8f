package auth

import (
	"context"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// queryRules are for filters and documents from outside: they may not name a
// reserved field, by whatever operator.
func queryRules() *mongoquery.Rules { return &mongoquery.Rules{DenyReserved: true} }

// updateRules are for updates from outside.
func updateRules() *mongoquery.Rules {
	return &mongoquery.Rules{
		DenyReserved: true,
		Writable:     []string{fieldKey, fieldPassword},
		Updates:      []string{"$set", "$unset", "$inc", "$mul", "$min", "$max", "$push", "$addToSet", "$pull", "$currentDate"},
	}
}

// noStore marks an answer as personal.
func noStore(c echo.Context) { c.Response().Header().Set(echo.HeaderCacheControl, "no-store") }

// noQuery refuses query parameters where there are none.
func noQuery(c echo.Context) error {
	_, err := strict.ParseQuery(c.Request().URL)
	return err
}

// client returns where a request comes from.
func client(c echo.Context) Client {
	return Client{Address: middleware.ClientAddress(c), Agent: c.Request().UserAgent()}
}

// pathCollection returns the collection that the path names, "" where the route
// has none.
func (s *Service) pathCollection(c echo.Context) (string, error) {
	if c.Param("collection") == "" {
		return "", nil
	}
	name, err := service.Param(c, "collection")
	if err != nil {
		return "", err
	}
	coll, err := s.collection(name)
	if err != nil {
		return "", err
	}
	return coll.Name(), nil
}

// checkQuery returns a filter from outside, checked.
func checkQuery(query bson.Raw) (bson.Raw, error) {
	if query == nil {
		return nil, nil
	}
	return query, queryRules().Filter(query)
}

// checkSettable refuses a field that Options.Settable does not list, or, where
// there is no list, all of them to who has no API key. The path is that of a field
// of a user.
func (s *Service) checkSettable(ctx context.Context, where, path string) error {
	_, keyed := middleware.Granted(ctx, "")
	if isOurs(path) || s.opts.Settable == nil && keyed {
		return nil
	}
	for _, field := range s.opts.Settable {
		if path == field || len(path) > len(field) && path[:len(field)+1] == field+"." {
			return nil
		}
	}
	return &FieldError{Field: where + path, Settable: true, Reason: "may not be set"}
}

// caller returns the signed-in user that a request comes from: the one that a
// guard has found, or the one that the handler, mounted without a guard, finds
// by itself. It fails where there is none, or where the path names another
// collection.
func (s *Service) caller(c echo.Context) (*User, error) {
	name, err := s.pathCollection(c)
	if err != nil {
		return nil, err
	}
	if u, ok := FromContext(c.Request().Context()); ok && u.owner == s && u.session.ID != "" && (name == "" || name == u.collection) {
		return u, nil
	}
	var allowed []string
	if name != "" {
		allowed = []string{name}
	}
	var user *User
	err = middleware.Authenticated(s, allowed...)(func(c echo.Context) error {
		user, _ = FromContext(c.Request().Context())
		return nil
	})(c)
	return user, err
}
