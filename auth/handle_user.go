package auth

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

type updateRequest struct {
	Document extjson.Document `json:"document"`
	Query    extjson.Document `json:"query"`
}

type updateAnswer struct {
	Matched  int `json:"matched"`
	Modified int `json:"modified"`
}

type deleteRequest struct {
	Query extjson.Document `json:"query"`
}

type deleteAnswer struct {
	Deleted int `json:"deleted"`
}

// HandleUser returns a user by key: GET /users/:key and /:key. Like the other two
// handlers of users by key it asks nobody who they are: guard it with an API key.
func (s *Service) HandleUser(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	ref, err := s.parseRef(c, nil)
	if err != nil {
		return err
	}
	user, err := s.User(c.Request().Context(), ref)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, user)
}

// HandleUpdateUser changes a user by key: PATCH /users/:key and /:key. Guard it
// with an API key.
func (s *Service) HandleUpdateUser(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	var body updateRequest
	if err := strict.Body(c, MaxBody, &body); err != nil {
		return err
	}
	ref, err := s.parseRef(c, bson.Raw(body.Query))
	if err != nil {
		return err
	}
	update, err := s.checkUpdateRequest(c.Request().Context(), bson.Raw(body.Document))
	if err != nil {
		return err
	}
	if _, err := s.Update(c.Request().Context(), ref, update); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, updateAnswer{Matched: 1, Modified: 1})
}

// HandleDeleteUser deletes a user by key: DELETE /users/:key and /:key. Guard it
// with an API key. A body, of which only a query is known, is optional.
func (s *Service) HandleDeleteUser(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	var body deleteRequest
	if strict.HasBody(c.Request()) {
		if err := strict.Body(c, maxSmallBody, &body); err != nil {
			return err
		}
	}
	ref, err := s.parseRef(c, bson.Raw(body.Query))
	if err != nil {
		return err
	}
	if err := s.Delete(c.Request().Context(), ref); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, deleteAnswer{Deleted: 1})
}

// parseRef returns the user that the path, the parameters and the body's query
// name.
func (s *Service) parseRef(c echo.Context, inBody bson.Raw) (Ref, error) {
	params, err := strict.ParseQuery(c.Request().URL, "collection", "query")
	if err != nil {
		return Ref{}, err
	}
	key, err := service.Param(c, "key")
	if err != nil {
		return Ref{}, err
	}
	if err := strict.Once("query", params.Has("query"), inBody != nil); err != nil {
		return Ref{}, err
	}
	query, err := params.Document("query")
	if err != nil {
		return Ref{}, err
	}
	if inBody != nil {
		query = inBody
	}
	query, err = checkQuery(query)
	return Ref{Collection: params.String("collection"), Key: key, Query: query}, err
}

// checkUpdateRequest returns an update from outside as operators, checked.
func (s *Service) checkUpdateRequest(ctx context.Context, update bson.Raw) (bson.Raw, error) {
	if isEmpty(update) {
		return nil, errEmptyUpdate()
	}
	operators, err := updateRules().Update(update)
	if err != nil {
		return nil, err
	}
	all, err := operators.Elements()
	if err != nil {
		return nil, err
	}
	changes := 0
	for _, operator := range all {
		fields, err := operator.Value().Document().Elements()
		if err != nil {
			return nil, err
		}
		for _, field := range fields {
			if err := s.checkSettable(ctx, "document."+operator.Key()+".", field.Key()); err != nil {
				return nil, err
			}
		}
		changes += len(fields)
	}
	if changes == 0 {
		return nil, errEmptyUpdate()
	}
	return operators, nil
}

func errEmptyUpdate() error { return service.Invalid("document", "is required, and must not be empty") }
