package mongoquery

import (
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"
)

func existence(v value) *Error {
	if !v.isBool() && !v.isNumber() {
		return invalid("must be true or false")
	}
	return nil
}

// typeNames checks `$type`: a name or a number, or an array of them.
func typeNames(v value) *Error {
	if !v.isArray() {
		return typeName(v)
	}
	if count(v.data) > MaxElements {
		return tooComplex("has too many elements")
	}
	return eachElement(v.data, typeName)
}

func typeName(v value) *Error {
	if _, ok := v.integer(); !ok && v.kind != bson.TypeString {
		return invalid("must be a type")
	}
	return nil
}

func size(v value) *Error {
	if n, ok := v.integer(); !ok || n < 0 {
		return invalid("must be a whole number, not negative")
	}
	return nil
}

func modulus(v value) *Error {
	if !v.isArray() || count(v.data) != 2 {
		return invalid("must be two numbers")
	}
	for it := walk(v.data); it.next(); {
		if !it.isNumber() {
			return invalid("must be two numbers")
		}
	}
	return nil
}

func regexOperand(v value) *Error {
	if v.kind == bson.TypeRegex { // bounded by wellFormed
		return nil
	}
	text, ok := v.text()
	if !ok {
		return invalid("must be a regular expression")
	}
	return patternText(text)
}

func regexOptions(v value, doc []byte) *Error {
	text, ok := v.text()
	if !ok || !has(doc, "$regex") {
		return invalid("must be a string, beside $regex")
	}
	return options(text)
}

// textSearch checks `$text`.
func (c *check) textSearch(v value) *Error {
	if err := c.condition(); err != nil {
		return err
	}
	if !v.isDocument() || !has(v.data, "$search") {
		return invalid("must be a document with $search")
	}
	return eachField(v.data, textArgument)
}

func textArgument(name []byte, v value) *Error {
	switch string(name) {
	case "$search", "$language":
		text, ok := v.text()
		if !ok {
			return invalid("must be a string")
		}
		if len(text) > MaxSearch && utf8.RuneCount(text) > MaxSearch {
			return tooComplex("is too long")
		}
		return nil
	case "$caseSensitive", "$diacriticSensitive":
		if !v.isBool() {
			return invalid("must be true or false")
		}
		return nil
	}
	return notAllowed()
}
