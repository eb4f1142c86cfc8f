package storage

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// HandlePatchMany changes all documents that match: PATCH /:collection.
func (s *Service) HandlePatchMany(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	collection, err := s.collectionOf(c)
	if err != nil {
		return err
	}
	if err := refuseHeaders(c.Request().Header, headerIfMatch, headerIfNoneMatch); err != nil {
		return err
	}
	q, err := strict.ParseQuery(c.Request().URL, "query")
	if err != nil {
		return err
	}
	var body patchManyBody
	if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
		return err
	}
	filter, err := s.explicitFilter(q, bson.Raw(body.Query))
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	scope, err := s.scopeOf(ctx, OpUpdate, collection)
	if err != nil {
		return err
	}
	check, err := s.patchCheck(bson.Raw(body.Document), scope)
	if err != nil {
		return err
	}
	result, err := s.patchMany(ctx, collection, filter, scope, check)
	if err != nil && result.Matched > 0 {
		return midway(err, map[string]int64{"matched": result.Matched, "modified": result.Modified})
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, result)
}

// explicitFilter returns the filter of a write of many documents. It is given in
// the URL or in the body, and means all documents only where it is empty in so many
// words.
func (s *Service) explicitFilter(q strict.Query, inBody bson.Raw) (bson.Raw, error) {
	if err := strict.Once("query", q.Has("query"), inBody != nil); err != nil {
		return nil, err
	}
	if inBody != nil {
		return inBody, s.rules.Filter(inBody)
	}
	filter, err := s.parseFilter(q)
	if err == nil && filter == nil {
		err = service.Invalid("query", "is missing; {} means all documents")
	}
	return filter, err
}

// patchCheck checks an update of a client's, and returns it with what interceptors
// make of it has to pass.
func (s *Service) patchCheck(update, scope bson.Raw) (c checked, err error) {
	if update == nil {
		return c, service.Invalid("document", "is missing")
	}
	if _, err := update.IndexErr(0); err != nil {
		return c, service.Invalid("document", "must not be empty")
	}
	if c.update, err = s.rules.Update(update); err != nil {
		return c, err
	}
	fields, err := scopeFields(scope)
	if err != nil {
		return c, err
	}
	if err := staysIn(c.update, fields); err != nil {
		return c, err
	}
	mine := c.update
	c.recheck = func(update bson.Raw) (bson.Raw, error) { return s.recheckUpdate(mine, update, fields) }
	return c, nil
}

// recheckUpdate checks what interceptors have made of an update that was checked.
// An error of theirs is ours, not the client's, and so no problem.
func (s *Service) recheckUpdate(mine, update bson.Raw, fields []string) (bson.Raw, error) {
	if same([]bson.Raw{mine}, []bson.Raw{update}) {
		return update, nil
	}
	update, err := s.rules.Update(update)
	if err == nil {
		err = staysIn(update, fields)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: an interceptor of Patching left what must not be written: %s", err) //nolint:errorlint // see above
	}
	return update, nil
}

// staysIn refuses an update that writes a field which decides about whose document
// it is.
func staysIn(update bson.Raw, fields []string) error {
	if len(fields) == 0 {
		return nil
	}
	operators, err := update.Elements()
	if err != nil {
		return err
	}
	for _, operator := range operators {
		paths, err := written(operator)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if first, _, _ := strings.Cut(path, "."); slices.Contains(fields, first) {
				return outOfScope(first)
			}
		}
	}
	return nil
}

// written returns the paths that an update operator writes.
func written(operator bson.RawElement) ([]string, error) {
	elements, err := operator.Value().Document().Elements()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range elements {
		paths = append(paths, e.Key())
		if operator.Key() == "$rename" {
			paths = append(paths, e.Value().StringValue())
		}
	}
	return paths, nil
}
