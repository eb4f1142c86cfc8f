package storage

import (
	"context"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Aggregate runs a pipeline, which is a slice of stages, each anything that has a
// BSON form (mongo.Pipeline, []bson.M, []bson.Raw …). It returns an empty slice
// where nothing comes out, and holds all that does in memory: see
// [Service.ExportAggregate] for much.
func (s *Service) Aggregate(ctx context.Context, collection string, pipeline any) ([]bson.Raw, error) {
	stages, err := toRawPipeline(pipeline)
	if err != nil {
		return nil, fmt.Errorf("storage: pipeline: %w", err)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	cursor, err := s.aggregate(ctx, collection, stages, options.Aggregate().SetMaxTime(s.opts.QueryTimeout))
	if err != nil {
		return nil, err
	}
	docs := []bson.Raw{}
	return docs, wrap("aggregating", cursor.All(ctx, &docs))
}

// ExportAggregate is Aggregate for more documents than fit into memory: see
// [Service.Export] for how they come.
func (s *Service) ExportAggregate(ctx context.Context, collection string, pipeline any) iter.Seq2[bson.Raw, error] {
	stages, err := toRawPipeline(pipeline)
	if err != nil {
		return func(yield func(bson.Raw, error) bool) { yield(nil, fmt.Errorf("storage: pipeline: %w", err)) }
	}
	return s.eachAggregate(ctx, collection, stages)
}

func (s *Service) eachAggregate(ctx context.Context, collection string, stages []bson.Raw) iter.Seq2[bson.Raw, error] {
	return s.each(ctx, func(ctx context.Context) (*mongo.Cursor, error) {
		return s.aggregate(ctx, collection, stages, options.Aggregate().SetBatchSize(batch))
	})
}

// aggregate starts an aggregation, which may not write to the database's disk.
func (s *Service) aggregate(ctx context.Context, collection string, stages []bson.Raw, o *options.AggregateOptions) (*mongo.Cursor, error) {
	if stages == nil {
		stages = []bson.Raw{}
	}
	cursor, err := s.db.Collection(collection).Aggregate(ctx, stages, o.SetAllowDiskUse(false))
	return cursor, wrap("aggregating", err)
}
