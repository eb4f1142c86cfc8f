package storage

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
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

// reply is what the database says of a write.
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
	err = s.db.RunCommand(ctx, cmd).Decode(&r)
	if e, ok := errors.AsType[driver.WriteCommandError](err); ok {
		err = writeException(e)
	}
	return r, wrap(what, err)
}

// writeException turns an error of the driver's inside into the one that its
// methods return.
func writeException(e driver.WriteCommandError) error {
	out := mongo.WriteException{Labels: e.Labels, Raw: bson.Raw(e.Raw)}
	for _, we := range e.WriteErrors {
		out.WriteErrors = append(out.WriteErrors, mongo.WriteError{
			Index: int(we.Index), Code: int(we.Code), Message: we.Message, Details: bson.Raw(we.Details),
		})
	}
	if wc := e.WriteConcernError; wc != nil {
		out.WriteConcernError = &mongo.WriteConcernError{Name: wc.Name, Code: int(wc.Code), Message: wc.Message, Details: bson.Raw(wc.Details)}
	}
	return out
}
