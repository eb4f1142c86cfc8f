package mongoquery_test

import (
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

var errReserved = errors.New("reserved")

// open is what a service turns on where it turns on everything.
func open() *mongoquery.Rules {
	return &mongoquery.Rules{
		Hidden: []string{"_password", "_sessions"},
		Expr:   true,
		Geo:    true,
		Text:   true,
		Collections: func(name string) error {
			if name == "" || name[0] == '_' {
				return errReserved
			}
			return nil
		},
	}
}

// doc makes BSON of relaxed Extended JSON.
func doc(tb testing.TB, json string) bson.Raw {
	tb.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(json), false, &d); err != nil {
		tb.Fatalf("%s: %v", json, err)
	}
	raw, err := bson.Marshal(d)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// docs makes BSON documents of a JSON array.
func docs(tb testing.TB, json string) []bson.Raw {
	tb.Helper()
	values, err := doc(tb, `{"a": `+json+`}`).Lookup("a").Array().Values()
	if err != nil {
		tb.Fatal(err)
	}
	out := make([]bson.Raw, 0, len(values))
	for _, v := range values {
		out = append(out, v.Document())
	}
	return out
}

// want is a refusal: its path and its code. The zero value is none.
type want struct {
	path string
	code mongoquery.Code
}

func expect(t *testing.T, err error, w want) {
	t.Helper()
	if w == (want{}) {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var refusal *mongoquery.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want %s at %s", err, w.code, w.path)
	}
	if refusal.Path != w.path || refusal.Code != w.code {
		t.Errorf("got %s at %s (%v), want %s at %s", refusal.Code, refusal.Path, refusal, w.code, w.path)
	}
	if refusal.Reason == "" {
		t.Error("has no reason")
	}
}
