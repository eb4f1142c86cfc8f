package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

const (
	fillBatch     = 5000 // users that are written at once
	maxCollisions = 20   // keys that an error lists
)

// CollisionError says that users of a collection have keys that are the same
// once normalised, so that one could sign in as the other. It is for the operator
// to rename or remove some.
type CollisionError struct {
	// Keys are some of these keys, normalised, at most 20.
	Keys []string
	// Count is how many there are.
	Count int
}

// Error lists the keys.
func (e *CollisionError) Error() string {
	text := fmt.Sprintf("%d keys belong to more than one user: %q", e.Count, e.Keys)
	if e.Count > len(e.Keys) {
		text += " and more"
	}
	return text
}

// fillIdentities gives each user that lacks one the normalised form of its key.
// It writes nothing where two users would have the same.
func fillIdentities(ctx context.Context, coll *mongo.Collection, atOnce int64) error {
	lacking := bson.D{{Key: fieldIdentity, Value: bson.D{{Key: "$exists", Value: false}}}}
	err := coll.FindOne(ctx, lacking, options.FindOne().SetProjection(bson.D{{Key: fieldID, Value: 1}})).Err()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := checkCollisions(ctx, coll); err != nil {
		return err
	}
	for {
		batch, err := lackingBatch(ctx, coll, lacking, atOnce)
		if err != nil || len(batch) == 0 {
			return err
		}
		// The order does not matter, and another instance may write the same.
		res, err := coll.BulkWrite(ctx, batch, options.BulkWrite().SetOrdered(false))
		if err != nil {
			return err
		}
		if res.MatchedCount == 0 {
			return errors.New("there are users that cannot be found by their _id")
		}
	}
}

// lackingBatch returns what gives some users their identity. It has read them to
// the end, for the embedded database does not write while it reads.
func lackingBatch(ctx context.Context, coll *mongo.Collection, lacking bson.D, limit int64) ([]mongo.WriteModel, error) {
	var batch []mongo.WriteModel
	err := eachIdentity(ctx, coll, lacking, limit, func(id bson.RawValue, identity string) error {
		batch = append(batch, mongo.NewUpdateOneModel().
			SetFilter(bson.D{{Key: fieldID, Value: id}}).
			SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: fieldIdentity, Value: identity}}}}))
		return nil
	})
	return batch, err
}

// checkCollisions returns a *CollisionError where users share an identity, theirs
// or the one they are about to be given. It keeps a hash of each in memory.
func checkCollisions(ctx context.Context, coll *mongo.Collection) error {
	seen := make(map[[16]byte]int)
	var collision CollisionError
	err := eachIdentity(ctx, coll, bson.D{}, 0, func(_ bson.RawValue, identity string) error {
		sum := sha256.Sum256([]byte(identity))
		short := [16]byte(sum[:16])
		seen[short]++
		if seen[short] != 2 {
			return nil
		}
		collision.Count++
		if len(collision.Keys) < maxCollisions {
			collision.Keys = append(collision.Keys, printable(strings.TrimSpace(identity), maxKeyBytes))
		}
		return nil
	})
	if err == nil && collision.Count > 0 {
		return &collision
	}
	return err
}

// eachIdentity calls do for every user that a filter finds, up to a limit; 0 is none.
func eachIdentity(ctx context.Context, coll *mongo.Collection, filter bson.D, limit int64, do func(id bson.RawValue, identity string) error) error {
	fields := bson.D{{Key: fieldID, Value: 1}, {Key: fieldKey, Value: 1}, {Key: fieldIdentity, Value: 1}}
	cursor, err := coll.Find(ctx, filter, options.Find().SetProjection(fields).SetLimit(limit))
	if err != nil {
		return err
	}
	defer cursor.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing depends on it
	for cursor.Next(ctx) {
		identity, ok := cursor.Current.Lookup(fieldIdentity).StringValueOK()
		if !ok {
			identity = storedIdentity(cursor.Current)
		}
		id := cursor.Current.Lookup(fieldID)
		id.Value = append([]byte(nil), id.Value...) // the cursor reuses its buffer
		if err := do(id, identity); err != nil {
			return err
		}
	}
	return cursor.Err()
}
