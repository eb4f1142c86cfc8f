package archive

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// ListOptions say which files are wanted. The zero value and nil mean all of the
// default name space, in the order of their ids, which is about that of their upload.
type ListOptions struct {
	// Collection is the name space. Defaults to "", the default one.
	Collection string
	// Filter is what the records must match, anything that has a BSON form. The
	// fields are _id, _filename, _filesize, _filetype, _sha256, _inserted (a date)
	// and metadata. Defaults to nil: all.
	Filter any
	// Sort orders the files. Defaults to by _id.
	Sort bson.D
	// Limit is how many files are wanted at most. Defaults to 0: all.
	Limit int64
	// Skip is how many files are left out at the beginning. Defaults to 0.
	Skip int64
}

// List returns the records of files. It returns an empty slice where there are none,
// and holds all of them in memory.
func (s *Service) List(ctx context.Context, opts *ListOptions) ([]File, error) {
	if opts == nil {
		opts = &ListOptions{}
	}
	if opts.Limit < 0 || opts.Skip < 0 {
		return nil, &OptionError{Field: "Limit and Skip", Reason: "must not be negative"}
	}
	filter := bson.D{{Key: fieldSpace, Value: opts.Collection}}
	if opts.Filter != nil {
		raw, err := bson.Marshal(opts.Filter)
		if err != nil {
			return nil, fmt.Errorf("archive: Filter: %w", err)
		}
		filter = within(opts.Collection, raw)
	}
	return s.list(ctx, filter, opts.Sort, opts.Limit, opts.Skip)
}

// within returns the filter of what a filter matches in a name space.
func within(space string, filter bson.Raw) bson.D {
	d := bson.D{{Key: fieldSpace, Value: space}}
	if len(filter) > len(emptyDocument()) {
		return bson.D{{Key: "$and", Value: bson.A{d, filter}}}
	}
	return d
}

// list returns the records that match, in an order in which no two are equal.
func (s *Service) list(ctx context.Context, filter bson.D, sort any, limit, skip int64) ([]File, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	o := options.Find().SetMaxTime(s.opts.QueryTimeout).SetLimit(limit).SetSkip(skip).SetSort(tieBreak(sort)).SetAllowDiskUse(false)
	cursor, err := s.records().Find(ctx, filter, o)
	if err != nil {
		return nil, wrap("listing", err)
	}
	var records []record
	if err := cursor.All(ctx, &records); err != nil {
		return nil, wrap("listing", err)
	}
	files := make([]File, len(records))
	for i, r := range records {
		files[i] = r.file()
	}
	return files, nil
}

// tieBreak returns an order with the id at its end.
func tieBreak(sort any) bson.D {
	var order bson.D
	switch sort := sort.(type) {
	case bson.D:
		order = append(order, sort...)
	case bson.Raw:
		elements, _ := sort.Elements() // it was checked
		for _, e := range elements {
			order = append(order, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	for _, e := range order {
		if e.Key == fieldID {
			return order
		}
	}
	return append(order, bson.E{Key: fieldID, Value: 1})
}

// count counts the records that match.
func (s *Service) count(ctx context.Context, filter bson.D) (int64, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	n, err := s.records().CountDocuments(ctx, filter, options.Count().SetMaxTime(s.opts.QueryTimeout))
	return n, wrap("counting", err)
}
