package storage

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// The driver's UpdateMany and DeleteMany cannot tell the database how long it may
// work. Neither is ever retried, so that nothing is lost by sending the commands
// themselves.

// updateMany changes all documents that match.
func (s *Service) updateMany(ctx context.Context, collection string, filter, update bson.Raw) (PatchResult, error) {
	reply, err := s.command(ctx, "patching", bson.D{
		{Key: "update", Value: collection},
		{Key: "updates", Value: bson.A{bson.D{
			{Key: "q", Value: orAll(filter)}, {Key: "u", Value: update}, {Key: "multi", Value: true},
		}}},
	})
	return PatchResult{Matched: reply.N, Modified: reply.NModified}, err
}

// removeMany deletes all documents that match.
func (s *Service) removeMany(ctx context.Context, collection string, filter bson.Raw) (int64, error) {
	reply, err := s.command(ctx, "deleting", bson.D{
		{Key: "delete", Value: collection},
		{Key: "deletes", Value: bson.A{bson.D{{Key: "q", Value: orAll(filter)}, {Key: "limit", Value: 0}}}},
	})
	return reply.N, err
}

// reply is what the database says of a write, also beside an error: what it did
// until it failed stays done.
type reply struct {
	N         int64 `bson:"n"`
	NModified int64 `bson:"nModified"`
}

// command runs a write.
func (s *Service) command(ctx context.Context, what string, cmd bson.D) (r reply, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	cmd = append(cmd, bson.E{Key: "maxTimeMS", Value: s.opts.QueryTimeout.Milliseconds()})
	// Within a transaction it is the transaction that has a write concern.
	if wc := s.db.WriteConcern(); wc != nil && mongo.SessionFromContext(ctx) == nil {
		cmd = append(cmd, bson.E{Key: "writeConcern", Value: wc})
	}
	raw, err := s.db.RunCommand(ctx, cmd).Raw()
	if raw == nil {
		return r, wrap(what, err)
	}
	return r, wrap(what, errors.Join(err, bson.Unmarshal(raw, &r)))
}

// midway adds to the problem of a write that failed what it had done by then.
func midway(err error, done map[string]int64) error {
	p := databaseProblem(err)
	if p == nil {
		return err
	}
	p.Extensions = make(map[string]any, len(done))
	for name, n := range done {
		p.Extensions[name] = n
	}
	return p
}
