package storage

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// documents returns the documents, and what the field that holds them is called.
func (b insertBody) documents() ([]bson.Raw, error) {
	switch {
	case b.Document != nil && b.Documents != nil:
		return nil, service.Invalid("document", "is given beside documents")
	case b.Document != nil:
		return []bson.Raw{bson.Raw(b.Document)}, nil
	case b.Documents == nil:
		return nil, service.Invalid("documents", "is missing")
	case len(b.Documents) == 0:
		return nil, service.Invalid("documents", "must not be empty")
	case len(b.Documents) > MaxDocuments:
		return nil, &mongoquery.Error{
			Path: "documents", Code: mongoquery.CodeTooComplex, Reason: fmt.Sprintf("has more than %d documents", MaxDocuments),
		}
	}
	return b.Documents, nil
}

// field returns how the field of a document with this index is called in errors.
func (b insertBody) field(i int, name string) string {
	if b.Document != nil {
		return "document." + name
	}
	return fmt.Sprintf("documents[%d].%s", i, name)
}

// HandleInsert inserts the documents of the body: POST /:collection.
func (s *Service) HandleInsert(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	collection, err := s.collectionOf(c)
	if err != nil {
		return err
	}
	if err := refuseHeaders(c.Request().Header, headerIfMatch, headerIfNoneMatch); err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	var body insertBody
	if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
		return err
	}
	docs, err := body.documents()
	if err != nil {
		return err
	}
	if err := s.checkDocuments(body, docs); err != nil {
		return err
	}
	ctx := c.Request().Context()
	scope, err := s.scopeOfInsert(ctx, collection)
	if err != nil {
		return err
	}
	ids, err := s.insert(ctx, collection, docs, func(changed []bson.Raw) ([]bson.Raw, error) {
		return s.recheckDocuments(docs, changed, scope)
	})
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, location(c.Request().URL, ids))
	return s.writeIDs(c, ids)
}

// checkDocuments checks what a client wants to insert.
func (s *Service) checkDocuments(body insertBody, docs []bson.Raw) error {
	var err error
	if body.Document != nil {
		err = s.onInsert.Document(docs[0])
	} else {
		err = s.onInsert.Documents(docs)
	}
	if err != nil {
		return err
	}
	for i, doc := range docs {
		id, err := doc.LookupErr(fieldID)
		if err != nil {
			continue // there is none
		}
		if wrong := idWrong(id); wrong != "" {
			return service.Invalid(body.field(i, fieldID), wrong)
		}
	}
	return nil
}

// recheckDocuments checks what interceptors have made of documents that were
// checked, and puts them into the scope. An error of theirs is ours, not the
// client's, and so no problem.
func (s *Service) recheckDocuments(checked, docs []bson.Raw, scope bson.Raw) ([]bson.Raw, error) {
	if !same(checked, docs) {
		if err := s.checkDocuments(insertBody{}, docs); err != nil {
			return nil, fmt.Errorf("storage: an interceptor of Inserting left what must not be written: %s", err) //nolint:errorlint // see above
		}
	}
	return enter(docs, scope)
}

// same reports whether two slices hold the same documents, not only equal ones.
func same(a, b []bson.Raw) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) || len(a[i]) > 0 && &a[i][0] != &b[i][0] {
			return false
		}
	}
	return true
}

// writeIDs answers 201 with the ids.
func (s *Service) writeIDs(c echo.Context, ids []any) error {
	out := append(make([]byte, 0, 16+32*len(ids)), `{"ids":[`...)
	for i, id := range ids {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendJSON(out, id); err != nil {
			return err
		}
	}
	return s.respond(c, http.StatusCreated, append(out, "]}"...))
}
