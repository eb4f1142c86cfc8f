package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/service"
)

// problemOf returns the problem of an error by the rules of the package.
func problemOf(err error) *service.Problem {
	for _, rule := range problems() {
		if p := rule(err); p != nil {
			return p
		}
	}
	return nil
}

func TestErrorsBecomeProblems(t *testing.T) {
	t.Parallel()
	bulk := func(code int) error {
		return mongo.BulkWriteException{WriteErrors: []mongo.BulkWriteError{{WriteError: mongo.WriteError{Index: 1, Code: code}}}}
	}
	single := mongo.WriteException{WriteErrors: []mongo.WriteError{{Code: 121}}}
	for _, row := range []struct {
		name   string
		err    error
		status int
		code   string
		more   string
	}{
		{"no document", ErrNotFound, 404, "not_found", `null`},
		{"a precondition", fmt.Errorf("x: %w", ErrPrecondition), 412, "precondition_failed", `null`},
		{"a duplicate of many", notAll(bulk(11000), []any{"a", "b"}, 1), 409, "duplicate_key", `{"ids":["a"],"index":1}`},
		{"a document that does not validate", notAll(bulk(121), []any{int64(7), "b"}, 1), 422, "validation_failed", `{"ids":[7],"index":1}`},
		{"the only document", notAll(single, []any{"a"}, 0), 422, "validation_failed", `{"ids":[],"index":0}`},
		{"a duplicate of a command", mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: 11000}}}, 409, "duplicate_key", `null`},
		{"a write concern", mongo.WriteException{WriteConcernError: &mongo.WriteConcernError{Code: 91}}, 503, "database_unavailable", `null`},
		{"a lacking stage", mongo.CommandError{Code: 238, Message: `stage "$lookup" is not implemented yet`}, 501, "unsupported", `null`},
		{"time that ran out", mongo.CommandError{Code: 50}, 504, "timeout", `null`},
		{"too many exports", ErrBusy, 503, "busy", `null`},
		{"a large answer", ErrTooLarge, 422, "answer_too_large", `null`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := problemOf(row.err)
			if p == nil || p.Status != row.status || p.Code != row.code {
				t.Fatalf("%v is %+v", row.err, p)
			}
			if more, err := json.Marshal(p.Extensions); err != nil || string(more) != row.more {
				t.Errorf("extensions %s, %v; want %s", more, err, row.more)
			}
			if (p.Status == 503) != (p.RetryAfter > 0) {
				t.Errorf("status %d with Retry-After %s", p.Status, p.RetryAfter)
			}
		})
	}
	if p := problemOf(errors.New("something else")); p != nil {
		t.Errorf("an unknown error is %+v", p)
	}
}

func TestRefusalsSayWhyInOurWords(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{2: "possible here", 14: "type", 28: "path", 40: "same field", 66: "never changes", 9: "as it is"} {
		for _, err := range []error{
			mongo.CommandError{Code: int32(code), Message: "CANARY"},
			mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: code, Message: "CANARY"}}},
		} {
			p := problemOf(wrap("patching", err))
			if p == nil || p.Status != 400 || !strings.Contains(p.Detail, want) || strings.Contains(p.Detail, "CANARY") {
				t.Errorf("%v is %+v", err, p)
			}
		}
	}
}

func TestLackingNamesTheFeature(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"the embedded database has no values of the type 128-bit decimal": "values of the type 128-bit decimal",
		"`aggregate` stage \"$lookup\" is not implemented yet":            "$lookup",
		"$group accumulator \"$avg\" is not implemented yet":              "$avg",
		"no such command": "",
		"the embedded database has no \x1b[31mcolours": "",
	} {
		if got := lacking(message); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}
