package storage_test

import (
	"net/http"
	"regexp"
	"testing"

	"go.mongodb.org/mongo-driver/bson/primitive"
)

func TestInsertStoresADocument(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	a := g.do(http.MethodPost, "/posts", `{"document": {"title": "One", "at": {"$date": "2024-01-01T00:00:00Z"}}}`).want(http.StatusCreated)
	ids := a.ids()
	if len(ids) != 1 || !regexp.MustCompile(`^[0-9a-f]{24}$`).MatchString(ids[0]) {
		t.Fatalf("ids %v, want one of 24 hex digits", ids)
	}
	if got, want := a.header.Get("Location"), "/service/storage/v1/posts/"+ids[0]; got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
	doc := g.stored("posts", ids[0])
	if doc["title"] != "One" || doc["at"] != primitive.DateTime(1704067200000) {
		t.Errorf("stored %v", doc)
	}
	if _, ok := doc["_inserted"].(primitive.DateTime); !ok {
		t.Errorf("_inserted is %T, want a date", doc["_inserted"])
	}
	if _, ok := doc["_version"].(int64); !ok {
		t.Errorf("_version is %T, want an int64", doc["_version"])
	}
}
