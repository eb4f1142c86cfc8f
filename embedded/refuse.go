package embedded

import (
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// refusal is the answer to a command that the engine would not carry out as MongoDB does, without saying so.
// LIMITS.md lists them all.
type refusal struct {
	code int32
	name string
	text string
}

// Codes of https://www.mongodb.com/docs/manual/reference/error-codes/.
const (
	codeInternalError    = 1
	codeBadValue         = 2
	codeIllegalOperation = 20
	codeMaxTimeMSExpired = 50
	codeNotImplemented   = 238
	codeDuplicateKey     = 11000
)

// notImplemented is the refusal of a feature.
func notImplemented(format string, args ...any) *refusal {
	return &refusal{codeNotImplemented, "NotImplemented", "the embedded database has no " + fmt.Sprintf(format, args...)}
}

// document returns the refusal as the engine would put it.
func (r *refusal) document() bsoncore.Document {
	return bsoncore.NewDocumentBuilder().
		AppendDouble("ok", 0).
		AppendString("errmsg", r.text).
		AppendInt32("code", r.code).
		AppendString("codeName", r.name).
		Build()
}

// check returns why a command is refused, or nil.
func check(c command) *refusal {
	if c.body == nil {
		return nil
	}
	if r := checkAllValues(c); r != nil {
		return r
	}
	if r := checkNames(c); r != nil {
		return r
	}
	if r := checkTransaction(c); r != nil {
		return r
	}
	return checkCommand(c)
}

// each returns the first refusal among the items.
func each[T any](items []T, check func(T) *refusal) *refusal {
	for _, item := range items {
		if r := check(item); r != nil {
			return r
		}
	}
	return nil
}

// checkNames refuses the names that the engine would put into SQL without quoting them rightly. Names of fields are
// seen to by checkAllValues.
func checkNames(c command) *refusal {
	to, _ := c.body.Lookup("to").StringValueOK()
	names := []string{c.coll, to}
	for _, index := range c.list("indexes") {
		name, _ := index.Lookup("name").StringValueOK()
		names = append(names, name)
	}
	return each(names, func(name string) *refusal {
		if badName(name) {
			return notImplemented("names with quotation marks, backslashes or control characters")
		}
		return nil
	})
}

func badName(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' })
}

// checkTransaction answers what a standalone MongoDB does. The engine lets reads of a transaction pass as if they
// were none.
func checkTransaction(c command) *refusal {
	for _, field := range []string{"startTransaction", "autocommit"} {
		if _, err := c.body.LookupErr(field); err == nil {
			return &refusal{
				codeIllegalOperation, "IllegalOperation",
				"Transaction numbers are only allowed on a replica set member or mongos: the embedded database has no transactions",
			}
		}
	}
	return nil
}

// checkCommand looks into the commands of which the engine gets some forms wrong.
func checkCommand(c command) *refusal {
	switch c.name {
	case "aggregate":
		return checkAggregate(c)
	case "find":
		return checkFind(c)
	case "count", "distinct":
		return checkFilter(c.body.Lookup("query"))
	case "insert":
		return each(c.list("documents"), checkStored)
	case "update":
		return each(c.list("updates"), func(s bsoncore.Document) *refusal {
			return checkUpdate(s.Lookup("q"), s.Lookup("u"), s.Lookup("upsert"))
		})
	case "findAndModify", "findandmodify":
		if r := checkSort(c.body.Lookup("sort")); r != nil {
			return r
		}
		return checkUpdate(c.body.Lookup("query"), c.body.Lookup("update"), c.body.Lookup("upsert"))
	case "delete":
		return each(c.list("deletes"), func(s bsoncore.Document) *refusal { return checkFilter(s.Lookup("q")) })
	case "create":
		if capped, ok := c.body.Lookup("capped").BooleanOK(); ok && capped {
			return notImplemented("capped collections")
		}
	case "createIndexes":
		if len(c.list("indexes")) > 1 { // the engine panics over the second one
			return notImplemented("several indexes in one command: create them one by one")
		}
		return each(c.list("indexes"), checkIndex)
	}
	return nil
}

// checkIndex refuses the kinds of index for which the engine has a misleading answer.
func checkIndex(index bsoncore.Document) *refusal {
	return each(fields(index.Lookup("key")), func(key bsoncore.Element) *refusal {
		if !key.Value().IsNumber() {
			return notImplemented("index of that kind, only 1 and -1")
		}
		if strings.Contains(key.Key(), "$") {
			return notImplemented("wildcard indexes")
		}
		return nil
	})
}

// checkFind refuses the options that the engine takes and forgets.
func checkFind(c command) *refusal {
	for _, option := range []string{"min", "max"} {
		if len(fields(c.body.Lookup(option))) > 0 {
			return notImplemented("option %s of find", option)
		}
	}
	if r := checkFilter(c.body.Lookup("filter")); r != nil {
		return r
	}
	if r := checkSort(c.body.Lookup("sort")); r != nil {
		return r
	}
	return each(fields(c.body.Lookup("projection")), checkProjection)
}

// checkSort refuses the paths that may lead through an array of documents, by which the engine sorts nothing.
func checkSort(sort bsoncore.Value) *refusal {
	return each(fields(sort), func(key bsoncore.Element) *refusal {
		if strings.Contains(key.Key(), ".") {
			return notImplemented("sort by a path with a dot")
		}
		return nil
	})
}

// checkProjection refuses what the engine takes for a constant or cannot find.
func checkProjection(field bsoncore.Element) *refusal {
	if strings.HasSuffix(field.Key(), ".$") {
		return notImplemented("positional projections")
	}
	if field.Value().Type == bson.TypeArray || isReference(field.Value()) {
		return notImplemented("expressions in projections")
	}
	return nil
}

// isReference tells whether v stands for the value of a field or variable, such as "$name".
func isReference(v bsoncore.Value) bool {
	s, ok := v.StringValueOK()
	return ok && strings.HasPrefix(s, "$")
}
