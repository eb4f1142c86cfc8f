package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/signals"
)

// Update changes a user's document and returns the user as they are then. The
// update holds operators, or fields to set. Of this package's own fields only
// _key and _password may be in it, as strings to set: they are checked as at
// sign-up, the password is hashed, and ends all sessions of the user.
//
// It returns ErrUserUnknown, ErrKeyExists, ErrKeyReserved, a *KeyError, a
// *WeakPasswordError, a *FieldError, ErrBusy, or an interceptor's veto.
func (s *Service) Update(ctx context.Context, ref Ref, update any) (*User, error) {
	raw, err := marshal(update)
	if err != nil {
		return nil, err
	}
	operators, err := operatorsOf(raw)
	if err != nil {
		return nil, err
	}
	operators, secret, err := takePassword(operators)
	if err != nil {
		return nil, err
	}
	if _, err := checkUpdate(operators); err != nil {
		return nil, err
	}
	r, filter, err := s.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	asking := &Changing{User: s.user(r, Session{}), Update: operators}
	if err := signals.Ask(ctx, s.bus(), asking); err != nil {
		return nil, err
	}
	if _, err := checkUpdate(asking.Update); err != nil {
		return nil, intercepted(err)
	}
	after, err := s.update(ctx, r.collection, filter, asking.Update, secret)
	if err != nil {
		return nil, err
	}
	user := s.user(after, Session{})
	if len(asking.Update) > 0 {
		signals.Announce(ctx, s.bus(), Changed{User: user})
	}
	if secret != nil {
		signals.Announce(ctx, s.bus(), PasswordChanged{User: user})
	}
	return user, nil
}

// update completes operators with what is ours, and runs them.
func (s *Service) update(ctx context.Context, collection string, filter any, operators bson.D, secret *string) (record, error) {
	key, err := checkUpdate(operators)
	if err != nil {
		return record{}, err
	}
	set := bson.D{{Key: fieldPatched, Value: s.now()}}
	var unset bson.D
	if key != "" {
		set = append(set, bson.E{Key: fieldKey, Value: key}, bson.E{Key: fieldIdentity, Value: identityOf(key)})
		operators = without(operators, fieldKey)
	}
	if secret != nil {
		hash, err := s.hasher.Hash(ctx, *secret)
		if err != nil {
			return record{}, err
		}
		set = append(set, bson.E{Key: fieldPassword, Value: hash})
		unset = bson.D{{Key: fieldSessions, Value: ""}}
	}
	operators = merge(merge(operators, "$set", set), "$unset", unset)
	after, err := s.updateOne(ctx, collection, filter, operators)
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = ErrUserUnknown
	}
	return after, err
}

// operatorsOf returns an update as operators, each a document.
func operatorsOf(update bson.Raw) (bson.D, error) {
	var doc bson.D
	if update != nil {
		if err := bson.Unmarshal(update, &doc); err != nil {
			return nil, err
		}
	}
	if len(doc) > 0 && !strings.HasPrefix(doc[0].Key, "$") {
		return bson.D{{Key: "$set", Value: doc}}, nil
	}
	for _, operator := range doc {
		if _, ok := operator.Value.(bson.D); !ok {
			return nil, &FieldError{Field: "document." + operator.Key, Reason: "must be a document"}
		}
	}
	return doc, nil
}

// takePassword takes the new password out of operators, nil where there is none.
func takePassword(operators bson.D) (bson.D, *string, error) {
	value, ok := assigned(operators, fieldPassword)
	if !ok {
		return operators, nil, nil
	}
	secret, ok := value.(string)
	if !ok {
		return nil, nil, &FieldError{Field: "document.$set." + fieldPassword, Reason: "must be a string"}
	}
	return without(operators, fieldPassword), &secret, password.Check(secret)
}

// checkUpdate refuses operators on fields of ours, and returns the new key, ""
// where there is none.
func checkUpdate(operators bson.D) (string, error) {
	for _, operator := range operators {
		fields, _ := operator.Value.(bson.D)
		for _, field := range fields {
			if isOurs(field.Key) && (operator.Key != "$set" || field.Key != fieldKey) {
				return "", &FieldError{Field: "document." + operator.Key + "." + field.Key, Reason: "is a reserved field"}
			}
		}
		target := renamesToOurs(operator.Key, fields)
		if target != "" {
			return "", &FieldError{Field: "document.$rename." + target, Reason: "is a reserved field"}
		}
	}
	value, ok := assigned(operators, fieldKey)
	if !ok {
		return "", nil
	}
	key, ok := value.(string)
	if !ok {
		return "", &FieldError{Field: "document.$set." + fieldKey, Reason: "must be a string"}
	}
	return checkKey(key)
}

// renamesToOurs returns the field of ours that $rename would write.
func renamesToOurs(operator string, fields bson.D) string {
	if operator != "$rename" {
		return ""
	}
	for _, field := range fields {
		if target, ok := field.Value.(string); ok && isOurs(target) {
			return target
		}
	}
	return ""
}

// assigned returns what $set assigns to a field.
func assigned(operators bson.D, field string) (any, bool) {
	for _, operator := range operators {
		fields, _ := operator.Value.(bson.D)
		for _, e := range fields {
			if operator.Key == "$set" && e.Key == field {
				return e.Value, true
			}
		}
	}
	return nil, false
}

// without returns operators whose $set leaves a field out. An operator without
// fields goes too: older databases refuse one.
func without(operators bson.D, field string) bson.D {
	var rest bson.D
	for _, operator := range operators {
		fields, _ := operator.Value.(bson.D)
		if operator.Key == "$set" {
			fields = slices.DeleteFunc(slices.Clone(fields), func(e bson.E) bool { return e.Key == field })
		}
		if len(fields) > 0 {
			rest = append(rest, bson.E{Key: operator.Key, Value: fields})
		}
	}
	return rest
}

// merge returns operators with further fields for one of them.
func merge(operators bson.D, name string, fields bson.D) bson.D {
	if len(fields) == 0 {
		return operators
	}
	merged := slices.Clone(operators)
	for i, operator := range merged {
		if operator.Key == name {
			old, _ := operator.Value.(bson.D)
			merged[i].Value = slices.Concat(old, fields)
			return merged
		}
	}
	return append(merged, bson.E{Key: name, Value: fields})
}
