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
	fillBatch     = 500 // users that are written at once
	maxCollisions = 20  // keys that an error lists
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
func fillIdentities(ctx context.Context, coll *mongo.Collection) error {
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
	var batch []mongo.WriteModel
	err = eachIdentity(ctx, coll, lacking, func(id bson.RawValue, identity string) error {
		batch = append(batch, mongo.NewUpdateOneModel().
			SetFilter(bson.D{{Key: fieldID, Value: id}}).
			SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: fieldIdentity, Value: identity}}}}))
		if len(batch) < fillBatch {
			return nil
		}
		return flush(ctx, coll, &batch)
	})
	return errors.Join(err, flush(ctx, coll, &batch))
}

// flush writes a batch. Its order does not matter, and another instance may
// write the same.
func flush(ctx context.Context, coll *mongo.Collection, batch *[]mongo.WriteModel) error {
	if len(*batch) == 0 {
		return nil
	}
	_, err := coll.BulkWrite(ctx, *batch, options.BulkWrite().SetOrdered(false))
	*batch = nil
	return err
}

// checkCollisions returns a *CollisionError where users share an identity, theirs
// or the one they are about to be given. It keeps a hash of each in memory.
func checkCollisions(ctx context.Context, coll *mongo.Collection) error {
	seen := make(map[[16]byte]int)
	var collision CollisionError
	err := eachIdentity(ctx, coll, bson.D{}, func(_ bson.RawValue, identity string) error {
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

// eachIdentity calls do for every user that a filter finds.
func eachIdentity(ctx context.Context, coll *mongo.Collection, filter bson.D, do func(id bson.RawValue, identity string) error) error {
	fields := bson.D{{Key: fieldID, Value: 1}, {Key: fieldKey, Value: 1}, {Key: fieldIdentity, Value: 1}}
	cursor, err := coll.Find(ctx, filter, options.Find().SetProjection(fields))
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
