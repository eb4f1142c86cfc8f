package dbtest_test

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

func TestDatabaseIsEmptyAndGoneAfterItsTest(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("a test", func(t *testing.T) {
		db := dbtest.Database(t)
		name = db.Name()
		if _, err := db.Collection("posts").InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}}); err != nil {
			t.Fatal(err)
		}
		other := dbtest.Database(t)
		if n, err := other.Collection("posts").CountDocuments(t.Context(), bson.D{}); n != 0 || err != nil {
			t.Errorf("another database has %d documents, %v: want none", n, err)
		}
	})
	client := dbtest.Connect(t, dbtest.URI(t))
	names, err := client.ListDatabaseNames(t.Context(), bson.D{{Key: "name", Value: name}})
	if err != nil || len(names) != 0 {
		t.Errorf("databases = %v, %v: want %s dropped", names, err, name)
	}
}

func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	if a, b := dbtest.Name(), dbtest.Name(); a == b || len(a) > 38 {
		t.Errorf("names = %q, %q: want two short ones", a, b)
	}
}

func TestServerKeepsAddressAndDataOverAKill(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	uri := server.URI()
	posts := dbtest.Connect(t, uri).Database("test").Collection("posts")
	if _, err := posts.InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err == nil {
		t.Fatal("a server that runs was started again")
	}

	server.Kill()
	server.Kill()
	began := time.Now()
	if err := posts.FindOne(t.Context(), bson.D{}).Err(); err == nil {
		t.Error("a killed server answers")
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the client took %s to give up", took)
	}

	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if server.URI() != uri {
		t.Errorf("the address changed from %s to %s", uri, server.URI())
	}
	var doc struct {
		ID int `bson:"_id"`
	}
	if err := dbtest.Connect(t, uri).Database("test").Collection("posts").FindOne(t.Context(), bson.D{}).Decode(&doc); err != nil || doc.ID != 1 {
		t.Errorf("document = %+v, %v: want what was written", doc, err)
	}
}

func TestServersAreApart(t *testing.T) {
	t.Parallel()
	a, b := dbtest.NewServer(t), dbtest.NewServer(t)
	if a.URI() == b.URI() {
		t.Fatalf("both are at %s", a.URI())
	}
	if _, err := dbtest.Connect(t, a.URI()).Database("test").Collection("c").InsertOne(t.Context(), bson.D{}); err != nil {
		t.Fatal(err)
	}
	err := dbtest.Connect(t, b.URI()).Database("test").Collection("c").FindOne(t.Context(), bson.D{}).Err()
	if err != mongo.ErrNoDocuments { //nolint:errorlint // the driver returns it as it is
		t.Errorf("error = %v, want no documents", err)
	}
}
