package mongoquery

import (
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// update checks operators, or wraps plain fields in `$set` and checks these.
func (r *Rules) update(doc []byte) ([]byte, *Error) {
	if err := wellFormed(doc, MaxDocumentDepth); err != nil {
		return nil, err
	}
	operators, err := isOperators(doc)
	if err != nil {
		return nil, err
	}
	c := check{rules: r}
	if !operators {
		return c.plainUpdate(doc)
	}
	if err := eachField(doc, c.updateOperator); err != nil {
		return nil, err
	}
	return doc, nil
}

// plainUpdate checks fields to set. Their names are names, not paths: a dot is refused as it is in a document.
func (c *check) plainUpdate(doc []byte) ([]byte, *Error) {
	if err := c.rules.document(doc); err != nil {
		return nil, err
	}
	at, set := bsoncore.AppendDocumentStart(make([]byte, 0, len(doc)+16))
	set = bsoncore.AppendDocumentElement(set, "$set", doc)
	set, _ = bsoncore.AppendDocumentEnd(set, at)
	return set, nil
}

func (c *check) updateOperator(name []byte, v value) *Error {
	if !isUpdateOperator(name) || c.rules.Updates != nil && !contains(c.rules.Updates, name) {
		return notAllowed()
	}
	if !v.isDocument() {
		return invalid("must be a document")
	}
	return eachField(v.data, func(path []byte, v value) *Error { return c.assignment(name, path, v) })
}

func isUpdateOperator(name []byte) bool {
	switch string(name) {
	case "$set", "$setOnInsert", "$unset", "$inc", "$mul", "$min", "$max", "$rename", "$push", "$addToSet",
		"$pull", "$pullAll", "$pop", "$bit", "$currentDate":
		return true
	}
	return false
}

func (c *check) assignment(operator, path []byte, v value) *Error {
	// Each segment of the path is a level of the document, too.
	if segments(path)+v.depth() > MaxDocumentDepth {
		return tooComplex("is nested too deeply")
	}
	if string(operator) != "$set" || !contains(c.rules.Writable, path) {
		if err := c.rules.assignable(path); err != nil {
			return err
		}
	}
	switch string(operator) {
	case "$inc", "$mul":
		return number(v)
	case "$rename":
		return c.renamed(v)
	case "$push":
		return pushed(v)
	case "$addToSet":
		return added(v)
	case "$pull":
		return c.pulled(v)
	case "$pullAll":
		return arrayOfLiterals(v)
	case "$pop":
		return direction(v)
	case "$bit":
		return bits(v)
	case "$currentDate":
		return currentDate(v)
	}
	return literal(v) // $set, $setOnInsert, $unset, $min, $max
}

func (c *check) renamed(v value) *Error {
	target, ok := v.text()
	if !ok {
		return invalid("must be a field name")
	}
	return inName(c.rules.assignable(target), target)
}

// hasOperator is true where any name of a document begins with a dollar sign, whichever comes first.
func hasOperator(v value) bool {
	if !v.isDocument() {
		return false
	}
	for it := walk(v.data); it.next(); {
		if isOperator(it.name) {
			return true
		}
	}
	return false
}

// pushed checks a value to append, or `$each` with its modifiers.
func pushed(v value) *Error {
	if !hasOperator(v) {
		return literal(v)
	}
	return withEach(v.data, pushModifier)
}

// added checks a value to add, or `$each` alone.
func added(v value) *Error {
	if !hasOperator(v) {
		return literal(v)
	}
	return withEach(v.data, addModifier)
}

func addModifier(name []byte, v value) *Error {
	if string(name) == "$each" {
		return arrayOfLiterals(v)
	}
	return notAllowed()
}

func withEach(doc []byte, modifier func(name []byte, v value) *Error) *Error {
	if err := eachField(doc, modifier); err != nil {
		return err
	}
	if !has(doc, "$each") {
		return invalid("must have $each")
	}
	return nil
}

func pushModifier(name []byte, v value) *Error {
	switch string(name) {
	case "$each":
		return arrayOfLiterals(v)
	case "$slice", "$position":
		if _, ok := v.integer(); !ok {
			return invalid("must be a whole number")
		}
		return nil
	case "$sort":
		return elementOrder(v)
	}
	return notAllowed()
}

// pulled checks what to remove: a value, or a condition on the elements.
func (c *check) pulled(v value) *Error {
	if !v.isDocument() {
		return c.operand(v)
	}
	if err := wellFormed(v.data, MaxFilterDepth); err != nil {
		return err
	}
	return c.onElement(v.data)
}

func arrayOfLiterals(v value) *Error {
	if !v.isArray() {
		return invalid("must be an array")
	}
	return literal(v)
}

func bits(v value) *Error {
	if !v.isDocument() || isEmpty(v.data) {
		return invalid("must be a document with and, or or xor")
	}
	return eachField(v.data, bit)
}

func bit(name []byte, v value) *Error {
	switch string(name) {
	case "and", "or", "xor":
	default:
		return invalid("must be and, or or xor")
	}
	if v.kind != bson.TypeInt32 && v.kind != bson.TypeInt64 {
		return invalid("must be a whole number")
	}
	return nil
}

// currentDate checks true, or the type that is wanted.
func currentDate(v value) *Error {
	if v.isBool() {
		return nil
	}
	if !v.isDocument() {
		return invalid(`must be true or {"$type": "date"}`)
	}
	it, ok := only(v.data)
	if !ok {
		return invalid(`must be true or {"$type": "date"}`)
	}
	if string(it.name) != "$type" {
		return notAllowed().in(it.name)
	}
	name, ok := it.text()
	if !ok || string(name) != "date" && string(name) != "timestamp" {
		return invalid(`must be "date" or "timestamp"`).in(it.name)
	}
	return nil
}
