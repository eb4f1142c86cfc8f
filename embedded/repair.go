package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
)

// repairFiles puts the files of all databases in order before FerretDB opens them.
func repairFiles(ctx context.Context, dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+fileSuffix))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := repairFile(ctx, path); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		if _, err := addIDIndexes(ctx, path); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// repairFile undoes or completes what FerretDB was about when its process was killed. FerretDB creates and drops
// collections and indexes in several steps, each durable but not all together; between two of them a name can become
// unusable for ever, a unique index can be promised and be missing, or the file can be refused as a whole.
// Documents are not concerned: each write of theirs is one transaction.
func repairFile(ctx context.Context, path string) error {
	db, err := openFile(path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after Commit
	r := repair{tx: tx}
	// The file was new, without the table that FerretDB puts into it first.
	r.exec(ctx, `CREATE TABLE IF NOT EXISTS `+collectionsTable+` (
		name TEXT NOT NULL UNIQUE CHECK(name != ''),
		table_name TEXT NOT NULL UNIQUE CHECK(table_name != ''),
		settings TEXT NOT NULL CHECK(settings != '')) STRICT`)
	r.collections(ctx)
	r.tables(ctx)
	if r.err != nil {
		return r.err
	}
	return tx.Commit()
}

// repair is one transaction of repairFile. After the first error its methods do nothing.
type repair struct {
	tx  *sql.Tx
	err error
}

func (r *repair) exec(ctx context.Context, query string, args ...any) {
	if r.err == nil {
		_, r.err = r.tx.ExecContext(ctx, query, args...)
	}
}

// rows returns the results of a query whose columns are strings.
func (r *repair) rows(ctx context.Context, columns int, query string, args ...any) [][]string {
	if r.err != nil {
		return nil
	}
	rows, err := r.tx.QueryContext(ctx, query, args...)
	if err != nil {
		r.err = err
		return nil
	}
	defer func() { _ = rows.Close() }()
	var all [][]string
	for rows.Next() {
		row := make([]string, columns)
		dest := make([]any, columns)
		for i := range row {
			dest[i] = &row[i]
		}
		if r.err = rows.Scan(dest...); r.err != nil {
			return nil
		}
		all = append(all, row)
	}
	r.err = rows.Err()
	return all
}

// collections brings the promised and the real indexes of each collection together.
func (r *repair) collections(ctx context.Context) {
	for _, row := range r.rows(ctx, 2, `SELECT table_name, settings FROM `+collectionsTable) {
		r.collection(ctx, row[0], row[1])
	}
}

func (r *repair) collection(ctx context.Context, table, settings string) {
	var s struct {
		UUID            string            `json:"uuid"`
		Indexes         []json.RawMessage `json:"indexes"`
		CappedSize      int64             `json:"cappedSize"`
		CappedDocuments int64             `json:"cappedDocuments"`
	}
	if r.err != nil {
		return
	}
	if r.err = json.Unmarshal([]byte(settings), &s); r.err != nil {
		return
	}
	if len(s.Indexes) == 0 { // not even the one on _id: it was being created and holds nothing yet
		r.exec(ctx, fmt.Sprintf(`DELETE FROM %s WHERE table_name = ? AND NOT EXISTS (SELECT 1 FROM %q)`,
			collectionsTable, table), table)
		return
	}
	var existing []string
	for _, row := range r.rows(ctx, 1, `SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?`, table) {
		existing = append(existing, row[0])
	}
	promised := []string{indexPrefix + table}
	kept := slices.DeleteFunc(slices.Clone(s.Indexes), func(raw json.RawMessage) bool {
		var index struct{ Name string }
		if err := json.Unmarshal(raw, &index); err != nil {
			r.err = err
		}
		promised = append(promised, table+"_"+index.Name)
		return !slices.Contains(existing, table+"_"+index.Name) // it was being dropped
	})
	for _, name := range existing {
		if !slices.Contains(promised, name) { // it was being created
			r.exec(ctx, fmt.Sprintf(`DROP INDEX %q`, name))
		}
	}
	if r.err == nil && len(kept) < len(s.Indexes) {
		s.Indexes = kept
		b, err := json.Marshal(s)
		r.err = err
		r.exec(ctx, `UPDATE `+collectionsTable+` SET settings = ? WHERE table_name = ?`, string(b), table)
	}
}

// tables drops those that belong to no collection: it was being created, and they are empty, or it was being dropped.
func (r *repair) tables(ctx context.Context) {
	orphans := r.rows(ctx, 1, `SELECT name FROM sqlite_master AS t
		WHERE type = 'table' AND name GLOB '*_[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
		AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = '`+documentColumn+`')
		AND NOT EXISTS (SELECT 1 FROM `+collectionsTable+` WHERE table_name = t.name)`)
	for _, row := range orphans {
		r.exec(ctx, fmt.Sprintf(`DROP TABLE %q`, row[0]))
	}
}
