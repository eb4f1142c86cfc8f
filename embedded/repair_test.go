package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/embedded"
)

// Each row is what a file looks like after a kill between two of FerretDB's steps. %s is the collection's table.
func TestFilesLeftByAKillWorkAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		statements func(table string) []string
		kept       bool // the document and the uniqueness of e
	}{
		"a collection's table without its entry": {
			func(table string) []string { return []string{`DELETE FROM _ferretdb_collections`} }, false,
		},
		"an entry without any index": {
			func(table string) []string {
				return []string{
					`DELETE FROM "` + table + `"`, `DROP INDEX "` + table + `__id_"`, `DROP INDEX "` + table + `_e_1"`,
					`UPDATE _ferretdb_collections SET settings = '{}'`,
				}
			}, false,
		},
		"an index without its entry": {
			func(table string) []string {
				return []string{`CREATE UNIQUE INDEX "` + table + `_f_1" ON "` + table + `" (_ferretdb_sjson->"f")`}
			}, true,
		},
		"nothing": {func(string) []string { return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, table := stopped(t)
			db := file(t, dir)
			execute(t, db, row.statements(table)...)
			db.Close()

			things := connect(t, start(t, dir)).Database("test").Collection("things")
			if kept := count(t, things, bson.M{"_id": "a"}) == 1; kept != row.kept {
				t.Fatalf("the document is there: %v", kept)
			}
			unique(t, things, "f")
			unique(t, things, "e")
			insert(t, things, bson.M{"_id": "b", "e": 2, "f": 1})
			for _, twin := range []bson.M{{"_id": "b"}, {"e": 2}, {"f": 1}} {
				if _, err := things.InsertOne(t.Context(), twin); !mongo.IsDuplicateKeyError(err) {
					t.Errorf("%v again: %v", twin, err)
				}
			}
		})
	}
}

func TestIndexThatIsGoneIsNoLongerPromised(t *testing.T) {
	t.Parallel()
	dir, table := stopped(t)
	db := file(t, dir)
	execute(t, db, `DROP INDEX "`+table+`_e_1"`) // a dropIndexes was killed
	db.Close()

	things := connect(t, start(t, dir)).Database("test").Collection("things")
	specs, err := things.Indexes().ListSpecifications(t.Context())
	if err != nil || len(specs) != 1 || specs[0].Name != "_id_" {
		t.Errorf("%d indexes, %v", len(specs), err)
	}
	unique(t, things, "e")
	if _, err := things.InsertOne(t.Context(), bson.M{"e": 1}); !mongo.IsDuplicateKeyError(err) {
		t.Errorf("a duplicate: %v", err)
	}
}

func TestEmptyFileIsADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "test.sqlite"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	insert(t, connect(t, start(t, dir)).Database("test").Collection("things"), bson.M{})
}

func TestFileThatCannotBeRepairedIsNamed(t *testing.T) {
	t.Parallel()
	dir, _ := stopped(t)
	db := file(t, dir)
	execute(t, db,
		`UPDATE _ferretdb_collections SET settings = '{'`,
		`CREATE TABLE "z_00000000" (_ferretdb_sjson TEXT)`, // the repair of another collection must not hide the failure
		`INSERT INTO _ferretdb_collections VALUES ('z', 'z_00000000', '{}')`)
	db.Close()
	if _, err := embedded.Start(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "test.sqlite") {
		t.Errorf("started: %v", err)
	}
}
