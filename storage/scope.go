package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/service"
)

// errNoScope is for a way through a ScopeFunc that decides nothing.
var errNoScope = errors.New("storage: Options.Scope returned nil, and not bson.D{}, which means all documents")

// scopeOf returns the filter that holds for a caller, nil where there is none.
func (s *Service) scopeOf(ctx context.Context, kind OpKind, collection string) (bson.Raw, error) {
	if s.opts.Scope == nil {
		return nil, nil
	}
	filter, err := s.opts.Scope(ctx, Op{Kind: kind, Database: s.db.Name(), Collection: collection})
	switch {
	case err != nil:
		return nil, err
	case filter == nil:
		return nil, errNoScope
	case len(filter) == 0:
		return nil, nil
	}
	raw, err := bson.Marshal(filter)
	if err != nil {
		return nil, fmt.Errorf("storage: the scope has no BSON form: %w", err)
	}
	return raw, nil
}

// scopeOfInsert returns the fields that new documents are given.
func (s *Service) scopeOfInsert(ctx context.Context, collection string) (bson.Raw, error) {
	scope, err := s.scopeOf(ctx, OpInsert, collection)
	if err != nil || scope == nil {
		return nil, err
	}
	elements, err := scope.Elements()
	if err != nil {
		return nil, err
	}
	for _, e := range elements {
		if key := e.Key(); key == "" || key == fieldID || strings.HasPrefix(key, "$") || strings.Contains(key, ".") || hasOperator(e.Value()) {
			return nil, fmt.Errorf("storage: the scope of an insert has %q, and must have plain fields and values only", key)
		}
	}
	return scope, nil
}

// hasOperator reports whether a value of a filter is a condition rather than what
// a field is equal to.
func hasOperator(v bson.RawValue) bool {
	if v.Type == bson.TypeRegex {
		return true
	}
	doc, ok := v.DocumentOK()
	if !ok {
		return false
	}
	elements, err := doc.Elements()
	return err != nil || len(elements) > 0 && strings.HasPrefix(elements[0].Key(), "$")
}

// enter returns the documents with the fields of a scope, and refuses a document
// that has other values in them.
func enter(docs []bson.Raw, scope bson.Raw) ([]bson.Raw, error) {
	if scope == nil {
		return docs, nil
	}
	fields, err := scope.Elements()
	if err != nil {
		return nil, err
	}
	out := make([]bson.Raw, len(docs))
	for i, doc := range docs {
		if out[i], err = enterOne(doc, fields); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func enterOne(doc bson.Raw, fields []bson.RawElement) (bson.Raw, error) {
	dst := append(make([]byte, 0, len(doc)+64), doc[:len(doc)-1]...)
	for _, field := range fields {
		value, err := doc.LookupErr(field.Key())
		switch {
		case errors.Is(err, bsoncore.ErrElementNotFound):
			dst = append(dst, field...)
		case err != nil:
			return nil, err
		case !equal(value, field.Value()):
			return nil, outOfScope(field.Key())
		}
	}
	return bsoncore.AppendDocumentEnd(dst, 0)
}

// equal reports whether two values are the same, type and all.
func equal(a, b bson.RawValue) bool { return a.Type == b.Type && bytes.Equal(a.Value, b.Value) }

// outOfScope is the problem of a client who writes a field that decides about
// whose document it is.
func outOfScope(field string) *service.Problem {
	return &service.Problem{
		Status: http.StatusForbidden, Code: "field_not_allowed",
		Detail: "This field is not yours to write: " + field + ".",
		Errors: []service.Field{{Field: field, Message: "is set by the gateway"}},
	}
}

// errOpaqueScope says that one cannot tell which fields a scope is about.
var errOpaqueScope = errors.New("storage: the scope of an update may use fields, $and, $or and $nor only")

// scopeFields returns the top-level fields that a scope is about.
func scopeFields(scope bson.Raw) ([]string, error) {
	if scope == nil {
		return nil, nil
	}
	elements, err := scope.Elements()
	if err != nil {
		return nil, err
	}
	var fields []string
	for _, e := range elements {
		switch key := e.Key(); {
		case key == "$and", key == "$or", key == "$nor":
			below, err := scopeFieldsOfAll(e.Value())
			if err != nil {
				return nil, err
			}
			fields = append(fields, below...)
		case strings.HasPrefix(key, "$"):
			return nil, errOpaqueScope
		default:
			first, _, _ := strings.Cut(key, ".")
			fields = append(fields, first)
		}
	}
	return fields, nil
}

func scopeFieldsOfAll(branches bson.RawValue) ([]string, error) {
	array, ok := branches.ArrayOK()
	if !ok {
		return nil, errOpaqueScope
	}
	values, err := array.Values()
	if err != nil {
		return nil, err
	}
	var fields []string
	for _, value := range values {
		doc, ok := value.DocumentOK()
		if !ok {
			return nil, errOpaqueScope
		}
		below, err := scopeFields(doc)
		if err != nil {
			return nil, err
		}
		fields = append(fields, below...)
	}
	return fields, nil
}
