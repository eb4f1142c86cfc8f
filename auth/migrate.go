package auth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
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

// errRaced says that others wrote users while their keys were normalised.
var errRaced = errors.New("users changed while their keys were normalised; start again")

// misnamed is a user whose _identity is not what it should be.
type misnamed struct {
	id       bson.RawValue
	identity string // what it should be
	stale    bool   // whether it is another key's
}

// fillIdentities gives each user the normalised form of their key who lacks it, or
// whose key another program has changed. It writes nothing where two users would
// have the same.
func fillIdentities(ctx context.Context, coll *mongo.Collection, atOnce int) error {
	wrong, err := survey(ctx, coll)
	if err != nil {
		return err
	}
	// Two users may have swapped their keys, so what is stale makes way first.
	for batch := range slices.Chunk(wrong, atOnce) {
		err := rename(ctx, coll, batch, func(u misnamed) (string, bool) { return unreachable(u.id), u.stale })
		if err != nil {
			return explain(ctx, coll, err)
		}
	}
	for batch := range slices.Chunk(wrong, atOnce) {
		err := rename(ctx, coll, batch, func(u misnamed) (string, bool) { return u.identity, true })
		if err != nil {
			return explain(ctx, coll, err)
		}
	}
	return nil
}

// rename gives users an identity, those for whom there is one. The order does not
// matter, and another instance may write the same.
func rename(ctx context.Context, coll *mongo.Collection, users []misnamed, identityOf func(misnamed) (string, bool)) error {
	var batch []mongo.WriteModel
	for _, u := range users {
		if identity, ok := identityOf(u); ok {
			batch = append(batch, mongo.NewUpdateOneModel().
				SetFilter(bson.D{{Key: fieldID, Value: u.id}}).
				SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: fieldIdentity, Value: identity}}}}))
		}
	}
	if len(batch) == 0 {
		return nil
	}
	res, err := coll.BulkWrite(ctx, batch, options.BulkWrite().SetOrdered(false))
	if err == nil && res.MatchedCount == 0 {
		return errors.New("there are users that cannot be found by their _id")
	}
	return err
}

// explain returns a *CollisionError for the error of a unique index.
func explain(ctx context.Context, coll *mongo.Collection, err error) error {
	if !mongo.IsDuplicateKeyError(err) {
		return err
	}
	if _, err := survey(ctx, coll); err != nil {
		return err
	}
	return errRaced
}

// survey reads all users to the end, for the embedded database does not write
// while it reads, and returns those whose _identity is wrong, or a *CollisionError
// where users share the one they should have. It keeps a hash of each in memory.
func survey(ctx context.Context, coll *mongo.Collection) ([]misnamed, error) {
	fields := bson.D{{Key: fieldID, Value: 1}, {Key: fieldKey, Value: 1}, {Key: fieldIdentity, Value: 1}}
	cursor, err := coll.Find(ctx, bson.D{}, options.Find().SetProjection(fields))
	if err != nil {
		return nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing depends on it
	var wrong []misnamed
	seen := census{}
	for cursor.Next(ctx) {
		identity := storedIdentity(cursor.Current)
		seen.add(identity)
		stored, ok := cursor.Current.Lookup(fieldIdentity).StringValueOK()
		if ok && stored == identity {
			continue
		}
		id := cursor.Current.Lookup(fieldID)
		id.Value = bytes.Clone(id.Value) // the cursor reuses its buffer
		wrong = append(wrong, misnamed{id: id, identity: identity, stale: ok})
	}
	return wrong, cmp.Or(cursor.Err(), seen.collision())
}

// census counts identities.
type census struct {
	seen  map[[16]byte]uint8 // by hash, up to 3
	found CollisionError
}

func (c *census) add(identity string) {
	if c.seen == nil {
		c.seen = map[[16]byte]uint8{}
	}
	sum := sha256.Sum256([]byte(identity))
	short := [16]byte(sum[:16])
	c.seen[short] = min(c.seen[short]+1, 3)
	if c.seen[short] != 2 {
		return
	}
	c.found.Count++
	if len(c.found.Keys) < maxCollisions {
		c.found.Keys = append(c.found.Keys, printable(strings.TrimSpace(identity), maxKeyBytes))
	}
}

// collision returns nil where every identity is one user's.
func (c *census) collision() error {
	if c.found.Count == 0 {
		return nil
	}
	return &c.found
}
