package embedded

import (
	"math"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// checkAllValues refuses the values that the engine cannot take: at some it drops the connection, others it changes,
// and one field with a strange name makes it unable ever to read the collection again.
func checkAllValues(c command) *refusal {
	if r := checkValues(c.body, 0); r != nil {
		return r
	}
	return each(c.seqs, func(seq sequence) *refusal {
		return each(seq.docs, func(doc bsoncore.Document) *refusal { return checkValues(doc, 0) })
	})
}

// maxDepth is how deep documents may be nested, as in MongoDB (which counts the document itself), with room for the
// command around them.
const maxDepth = 110

func checkValues(doc bsoncore.Document, depth int) *refusal {
	if depth > maxDepth {
		return notImplemented("documents nested so deep")
	}
	elements, _ := doc.Elements()
	seen := make(map[string]bool, len(elements))
	return each(elements, func(e bsoncore.Element) *refusal {
		key := e.Key()
		if badName(key) || !utf8.ValidString(key) {
			return notImplemented("fields with quotation marks, backslashes or control characters in their names")
		}
		if seen[key] { // the relay and the engine might each see another of the two
			return &refusal{codeBadValue, "BadValue", "a document has two fields of the same name"}
		}
		seen[key] = true
		return checkValue(e.Value(), depth)
	})
}

func checkValue(v bsoncore.Value, depth int) *refusal {
	switch v.Type {
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		return checkValues(v.Data, depth+1)
	case bson.TypeString:
		if !utf8.ValidString(v.StringValue()) {
			return notImplemented("strings that are not UTF-8")
		}
	case bson.TypeDouble:
		if math.IsNaN(v.Double()) {
			return notImplemented("NaN")
		}
	case bson.TypeDecimal128, bson.TypeMinKey, bson.TypeMaxKey, bson.TypeJavaScript, bson.TypeCodeWithScope,
		bson.TypeSymbol, bson.TypeUndefined, bson.TypeDBPointer:
		return notImplemented("values of the type %s", v.Type)
	default: // all others it takes
	}
	return nil
}

// checkStored refuses what the engine cannot store, or would leave out without a word, in a whole document.
func checkStored(doc bsoncore.Document) *refusal {
	return checkStoredValue(bsoncore.Value{Type: bson.TypeEmbeddedDocument, Data: doc})
}

func checkStoredValue(v bsoncore.Value) *refusal {
	switch v.Type {
	case bson.TypeDouble:
		if math.IsInf(v.Double(), 0) {
			return notImplemented("infinite numbers")
		}
	case bson.TypeArray:
		return each(items(v), func(item bsoncore.Value) *refusal {
			if item.Type == bson.TypeArray {
				return notImplemented("arrays directly in arrays")
			}
			return checkStoredValue(item)
		})
	case bson.TypeEmbeddedDocument:
		return each(fields(v), func(e bsoncore.Element) *refusal {
			if strings.HasPrefix(e.Key(), "$") || strings.Contains(e.Key(), ".") {
				return notImplemented("fields with a dot or a leading dollar sign in their names")
			}
			return checkStoredValue(e.Value())
		})
	default: // checkValue has seen to it
	}
	return nil
}
