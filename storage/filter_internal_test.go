package storage

import (
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

func TestBoth(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ a, b, want string }{
		{`{"_id": "x"}`, `{"owner": "ada"}`, `{"_id": "x","owner": "ada"}`},
		{`{"owner": "bob"}`, `{"owner": "ada"}`, `{"$and": [{"owner": "bob"},{"owner": "ada"}]}`},
		{`{"$or": [{"a": "b"}]}`, `{"$or": [{"owner": "ada"}]}`, `{"$and": [{"$or": [{"a": "b"}]},{"$or": [{"owner": "ada"}]}]}`},
		{`{}`, `{"owner": "ada"}`, `{"owner": "ada"}`},
		{`{"a": "b"}`, `{}`, `{"a": "b"}`},
		{``, `{"owner": "ada"}`, `{"owner": "ada"}`},
		{`{"a": "b"}`, ``, `{"a": "b"}`},
	} {
		if got := both(parsed(t, row.a), parsed(t, row.b)).String(); got != row.want {
			t.Errorf("both(%s, %s) = %s, want %s", row.a, row.b, got, row.want)
		}
	}
}

// parsed is a document by its JSON, nil for "".
func parsed(t *testing.T, text string) bson.Raw {
	t.Helper()
	if text == "" {
		return nil
	}
	var doc bson.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &doc); err != nil {
		t.Fatal(err)
	}
	raw, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
