package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// ErrInUse tells that a folder is served already, by this process or another one.
var ErrInUse = errors.New("embedded: another server uses the folder")

// lockFile is the name of the file whose lock stands for the whole folder. FerretDB takes *.sqlite for databases.
const lockFile = "coglexdb.lock"

// lockDir takes the folder for this server until the returned Closer is closed or the process dies.
//
// The lock is that of an SQLite file held exclusively: it works alike on every system that SQLite knows, between
// processes and inside one.
func lockDir(ctx context.Context, dir string) (io.Closer, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, lockFile)))
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	_, err = db.ExecContext(ctx, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
	if err == nil {
		return db, nil
	}
	_ = db.Close()
	var busy *sqlite.Error
	if errors.As(err, &busy) && busy.Code()&0xff == sqlitelib.SQLITE_BUSY {
		return nil, ErrInUse
	}
	return nil, fmt.Errorf("embedded: lock the folder: %w", err)
}
