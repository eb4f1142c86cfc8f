package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// maxMissingIDs is how many ids of records without bytes a report names.
const maxMissingIDs = 1000

// SweepOptions are the optional settings of [Service.Sweep].
type SweepOptions struct {
	// Grace is how old bytes without a record are before they are deleted, and
	// records without bytes before they count. It must be longer than the longest
	// upload takes. Defaults to Options.Grace; a negative one is none, for when
	// nobody uploads.
	Grace time.Duration
	// RemoveMissing deletes the records whose bytes are not in the store. Defaults
	// to false: they are reported.
	RemoveMissing bool
	// Force deletes even where that is more than what would stay. Defaults to
	// false: such a sweep is refused.
	Force bool
}

// SweepReport is what a sweep found and did.
type SweepReport struct {
	// Files is how many files are whole: a record, and bytes under its key.
	Files int
	// Deleted is how many bytes without a record were deleted, as files; Partial how
	// many were what is left of uploads that were cut; Bytes how many bytes both were.
	Deleted, Partial int
	Bytes            int64
	// Missing is how many records have no bytes, MissingIDs the first of their ids.
	Missing    int
	MissingIDs []string
	// Removed is how many of these records were deleted.
	Removed int
	// Tickets is how many spent tickets were forgotten.
	Tickets int64
}

// held is what the store has under a key.
type held struct {
	key   [16]byte
	size  int64
	known bool // there is a record
	young bool
}

// Sweep makes the store and the records agree again after a crash: it deletes bytes
// that no record is of, and reports records that have no bytes. It may run beside
// uploads and deletes, in several instances at once: what is younger than the grace
// is left alone, and each record is looked for once more before its bytes are
// deleted. It takes some 32 bytes of memory for each file.
//
// Where it would delete more than it has found to be in order it deletes nothing and
// returns ErrSweepRefused beside its report, for then the store and the database are
// probably not those of one archive: see [SweepOptions].Force. What is left of
// uploads that were cut does not count there; it is nobody's.
func (s *Service) Sweep(ctx context.Context, opts *SweepOptions) (SweepReport, error) {
	if opts == nil {
		opts = &SweepOptions{}
	}
	w := sweep{Service: s, before: s.opts.Now().Add(-max(cmp.Or(opts.Grace, s.opts.Grace), 0))}
	var err error
	if w.report.Tickets, err = s.sweepTickets(ctx); err != nil {
		return w.report, err
	}
	if err := w.readStore(ctx); err != nil {
		return w.report, err
	}
	missing, err := w.readRecords(ctx)
	if err != nil {
		return w.report, err
	}
	orphans := w.orphans()
	refused := !opts.Force && len(orphans) > w.report.Files
	if !refused {
		err = w.deleteOrphans(ctx, orphans)
	}
	if opts.RemoveMissing && err == nil {
		if !opts.Force && len(missing) > w.report.Files {
			refused = true
		} else {
			err = w.removeRecords(ctx, missing)
		}
	}
	if refused && err == nil {
		err = fmt.Errorf("%w: %d files are in order, %d without a record, %d without bytes", ErrSweepRefused, w.report.Files, len(orphans), len(missing))
	}
	return w.report, err
}

// sweep is one sweep under way.
type sweep struct {
	*Service

	before time.Time // what is older is not being uploaded any more
	held   []held    // by key
	report SweepReport
}

// readStore notes what the store has, and deletes what is left of cut uploads.
func (w *sweep) readStore(ctx context.Context) error {
	for entry, err := range w.store.List(ctx) {
		if err != nil {
			return wrap("listing the store", err)
		}
		old := entry.Modified.Before(w.before)
		switch {
		case entry.Partial && old:
			if err := w.store.Delete(ctx, entry.Key); err != nil {
				return wrap("sweeping a cut upload", err)
			}
			w.report.Partial++
			w.report.Bytes += entry.Size
		case !entry.Partial && ValidKey(entry.Key):
			h := held{size: entry.Size, young: !old}
			_, _ = hex.Decode(h.key[:], []byte(entry.Key)) // it is valid
			w.held = append(w.held, h)
		}
	}
	slices.SortFunc(w.held, func(a, b held) int { return bytes.Compare(a.key[:], b.key[:]) })
	return nil
}

// lookFor returns what the store has under a key, nil for nothing.
func (w *sweep) lookFor(key string) *held {
	var k [16]byte
	_, _ = hex.Decode(k[:], []byte(key)) // it is valid
	i, ok := slices.BinarySearchFunc(w.held, k, func(h held, k [16]byte) int { return bytes.Compare(h.key[:], k[:]) })
	if !ok {
		return nil
	}
	return &w.held[i]
}

// readRecords matches the records with what the store has, and returns those that
// are old enough to have bytes there and have none.
func (w *sweep) readRecords(ctx context.Context) (missing []record, err error) {
	projection := bson.D{{Key: fieldKey, Value: 1}, {Key: fieldInserted, Value: 1}}
	cursor, err := w.records().Find(ctx, bson.D{}, options.Find().SetProjection(projection).SetBatchSize(1000))
	if err != nil {
		return nil, wrap("reading the records", err)
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	for cursor.Next(ctx) {
		var r record
		if err := cursor.Decode(&r); err != nil || !ValidKey(r.Key) {
			continue // another program's
		}
		if h := w.lookFor(r.Key); h != nil {
			h.known = true
			w.report.Files++
		} else if r.Inserted.Before(w.before) {
			missing = append(missing, r)
		}
	}
	if err := cursor.Err(); err != nil {
		return nil, wrap("reading the records", err)
	}
	return w.confirm(ctx, missing)
}

// confirm returns those of the records whose bytes the store really has not: the
// list may have been read before they came.
func (w *sweep) confirm(ctx context.Context, suspects []record) (missing []record, err error) {
	for _, r := range suspects {
		content, err := w.store.Open(ctx, r.Key)
		if err == nil {
			w.report.Files++
			if err := content.Close(); err != nil {
				return nil, wrap("looking for bytes", err)
			}
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, wrap("looking for bytes", err)
		}
		missing = append(missing, r)
		w.report.Missing++
		if len(w.report.MissingIDs) < maxMissingIDs {
			w.report.MissingIDs = append(w.report.MissingIDs, r.ID)
		}
	}
	return missing, nil
}

// orphans returns what the store has without a record, and for long enough.
func (w *sweep) orphans() (orphans []held) {
	for _, h := range w.held {
		if !h.known && !h.young {
			orphans = append(orphans, h)
		}
	}
	return orphans
}

// deleteOrphans deletes bytes that no record is of, even now.
func (w *sweep) deleteOrphans(ctx context.Context, orphans []held) error {
	for _, h := range orphans {
		key := hex.EncodeToString(h.key[:])
		_, err := w.find(ctx, bson.D{{Key: fieldKey, Value: key}})
		if err == nil {
			w.report.Files++
			continue
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := w.store.Delete(ctx, key); err != nil {
			return wrap("sweeping bytes", err)
		}
		w.report.Deleted++
		w.report.Bytes += h.size
	}
	return nil
}

// removeRecords deletes records without bytes.
func (w *sweep) removeRecords(ctx context.Context, missing []record) error {
	for _, r := range missing {
		there, err := w.remove(ctx, r)
		if err != nil {
			return err
		}
		if there {
			w.report.Removed++
		}
	}
	return nil
}
