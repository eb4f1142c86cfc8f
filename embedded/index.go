package embedded

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
)

// What FerretDB's SQLite backend makes of a database: a file named after it; in the file one table for each
// collection, with the documents as JSON in one column, and a table that tells which is whose.
const (
	fileSuffix       = ".sqlite"
	collectionsTable = "_ferretdb_collections"
	documentColumn   = "_ferretdb_sjson"
)

// indexPrefix begins the names of the indexes that this package adds. FerretDB begins its own with the table's name,
// which ends in an underscore and eight hexadecimal digits, so that the two kinds cannot meet.
const indexPrefix = "coglex_id_"

// databaseName is what FerretDB accepts as the name of a database, and so of a file.
var databaseName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,63}$`)

// openFile opens the file of a database, which must exist.
func openFile(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=rw&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// indexer sees to it that each collection can be searched by _id without reading all of it.
//
// FerretDB asks for a document by the expression _ferretdb_sjson->'$._id' but indexes _ferretdb_sjson->"_id".
// SQLite takes the two for different things, so each look-up, and each update and delete of one document, reads the
// whole table. Tables appear with the first write to a collection, so this is looked after as commands pass.
//
// The methods must not run at the same time as one another or as a command that writes.
type indexer struct {
	dir  string
	done map[namespace]bool // the collections known to have their index
}

type namespace struct{ db, coll string }

// after looks at a command that the engine has carried out.
func (x *indexer) after(ctx context.Context, cmd command) error {
	switch cmd.name {
	case "create", "createIndexes", "findAndModify", "findandmodify", "insert", "update":
		return x.created(ctx, cmd)
	case "drop", "dropDatabase", "renameCollection":
		clear(x.done) // a known name may now stand for another table, or for none
	}
	return nil
}

// created looks at a command that creates the collection it names if it does not exist.
func (x *indexer) created(ctx context.Context, cmd command) error {
	if x.done[namespace{cmd.db, cmd.coll}] || !databaseName.MatchString(cmd.db) {
		return nil
	}
	names, err := addIDIndexes(ctx, filepath.Join(x.dir, cmd.db+fileSuffix))
	for _, name := range names {
		x.done[namespace{cmd.db, name}] = true
	}
	return err
}

// addIDIndexes adds the index to each collection of a file that has none, and returns the names of all collections.
func addIDIndexes(ctx context.Context, path string) ([]string, error) {
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	names, missing, err := unindexed(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, table := range missing {
		// %q is how FerretDB itself quotes names.
		q := fmt.Sprintf(`CREATE INDEX IF NOT EXISTS %q ON %q (%s->'$._id')`, indexPrefix+table, table, documentColumn)
		if _, err := db.ExecContext(ctx, q); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// unindexed returns the names of all collections and the tables of those without our index.
func unindexed(ctx context.Context, db *sql.DB) (names, tables []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name, table_name, EXISTS (
		SELECT 1 FROM sqlite_master WHERE type = 'index' AND sqlite_master.name = ? || table_name
	) FROM `+collectionsTable, indexPrefix)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name, table string
		var indexed bool
		if err := rows.Scan(&name, &table, &indexed); err != nil {
			return nil, nil, err
		}
		names = append(names, name)
		if !indexed {
			tables = append(tables, table)
		}
	}
	return names, tables, rows.Err()
}
