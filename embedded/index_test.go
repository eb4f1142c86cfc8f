package embedded_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// searched tells whether SQLite finds a document of the collection by an index.
func searched(t *testing.T, c *mongo.Collection) bool {
	t.Helper()
	count(t, c, bson.M{"_id": "x"}) // an explanation does not notice a new index by itself, a query does
	var got struct {
		QueryPlanner struct {
			Plan []string `bson:"Plan"`
		} `bson:"queryPlanner"`
	}
	explain := bson.D{{Key: "explain", Value: bson.D{{Key: "find", Value: c.Name()}, {Key: "filter", Value: bson.M{"_id": "x"}}}}}
	if err := c.Database().RunCommand(t.Context(), explain).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got.QueryPlanner.Plan) != 1 {
		t.Fatalf("plan %q", got.QueryPlanner.Plan)
	}
	return strings.Contains(got.QueryPlanner.Plan[0], "SEARCH")
}

func TestIDIsSearchedAfterTheFirstCommandThatMakesTheCollection(t *testing.T) {
	t.Parallel()
	ctx, set := t.Context(), bson.M{"$set": bson.M{"a": 1}}
	for name, first := range map[string]func(c *mongo.Collection) error{
		"insert": func(c *mongo.Collection) error { _, err := c.InsertOne(ctx, bson.M{}); return err },
		"update": func(c *mongo.Collection) error { _, err := c.UpdateByID(ctx, 1, set); return err },
		"upsert": func(c *mongo.Collection) error {
			_, err := c.UpdateByID(ctx, 1, set, options.Update().SetUpsert(true))
			return err
		},
		"findAndModify": func(c *mongo.Collection) error {
			err := c.FindOneAndUpdate(ctx, bson.M{"_id": 1}, set, options.FindOneAndUpdate().SetUpsert(true)).Err()
			if errors.Is(err, mongo.ErrNoDocuments) {
				return nil
			}
			return err
		},
		"create": func(c *mongo.Collection) error { return c.Database().CreateCollection(ctx, c.Name()) },
		"create index": func(c *mongo.Collection) error {
			_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{"a": 1}})
			return err
		},
		"Odd näme, . x": func(c *mongo.Collection) error { _, err := c.InsertOne(ctx, bson.M{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := collection(t).Database().Collection(name) // alone on its server: other collections' commands would help
			if err := first(c); err != nil {
				t.Fatal(err)
			}
			if !searched(t, c) {
				t.Error("scanned")
			}
		})
	}
}

func TestIDIsSearchedInCollectionsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(ctx context.Context, c *mongo.Collection) error{
		"dropped":          func(ctx context.Context, c *mongo.Collection) error { return c.Drop(ctx) },
		"database dropped": func(ctx context.Context, c *mongo.Collection) error { return c.Database().Drop(ctx) },
		"renamed": func(ctx context.Context, c *mongo.Collection) error {
			rename := bson.D{{Key: "renameCollection", Value: "test.things"}, {Key: "to", Value: "test." + primitive.NewObjectID().Hex()}}
			return c.Database().Client().Database("admin").RunCommand(ctx, rename).Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			things := collection(t)
			for range 2 {
				insert(t, things, bson.M{})
				if err := change(t.Context(), things); err != nil {
					t.Fatal(err)
				}
			}
			insert(t, things, bson.M{})
			if n := count(t, things, bson.M{}); n != 1 {
				t.Errorf("%d documents", n)
			}
			names, err := things.Database().ListCollectionNames(t.Context(), bson.M{})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if !searched(t, things.Database().Collection(name)) {
					t.Errorf("%s is scanned", name)
				}
			}
		})
	}
}

// file opens the SQLite file of the database "test" of a server that is not running.
func file(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "test.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// stopped fills a collection test.things that has a unique index on e, stops the server and returns its folder and
// the name of the collection's table.
func stopped(t *testing.T) (dir, table string) {
	t.Helper()
	dir = t.TempDir()
	s := start(t, dir)
	things := connect(t, s).Database("test").Collection("things")
	unique(t, things, "e")
	insert(t, things, bson.M{"_id": "a", "e": 1})
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := file(t, dir)
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT table_name FROM _ferretdb_collections`).Scan(&table); err != nil {
		t.Fatal(err)
	}
	return dir, table
}

func TestIDIsSearchedInTablesOfBefore(t *testing.T) {
	t.Parallel()
	dir, table := stopped(t)
	db := file(t, dir)
	execute(t, db, `DROP INDEX "coglex_id_`+table+`"`)
	db.Close()
	if things := connect(t, start(t, dir)).Database("test").Collection("things"); !searched(t, things) {
		t.Error("scanned")
	}
}
