package mongoquery

import (
	"bytes"

	"go.mongodb.org/mongo-driver/bson"
)

// stages checks a whole pipeline.
func (c *check) stages(stages []bson.Raw) *Error {
	for i, stage := range stages {
		if err := c.wholeStage(stage); err != nil {
			return err.at(i)
		}
	}
	return nil
}

func (c *check) wholeStage(stage []byte) *Error {
	if err := wellFormed(stage, MaxPipelineDepth-1); err != nil {
		return err
	}
	return c.stage(stage)
}

// pipeline checks one that is inside a stage.
func (c *check) pipeline(v value) *Error {
	if !v.isArray() {
		return invalid("must be an array of stages")
	}
	return eachElement(v.data, func(v value) *Error {
		if !v.isDocument() {
			return invalid("must be a stage")
		}
		return c.stage(v.data)
	})
}

func (c *check) stage(doc []byte) *Error {
	c.stageCount++
	if c.stageCount > MaxStages {
		return tooComplex("has too many stages")
	}
	it, ok := only(doc)
	if !ok {
		return invalid("must have exactly one stage operator")
	}
	return inName(c.stageOperator(it.name, it.value), it.name)
}

func (c *check) stageOperator(name []byte, v value) *Error {
	switch string(name) {
	case "$match":
		return c.match(v)
	case "$project", "$addFields", "$set":
		return c.shape(v)
	case "$unset":
		return c.unset(v)
	case "$group":
		return c.group(v)
	case "$sort":
		return c.sortStage(v)
	case "$limit":
		return atLeast(v, 1)
	case "$skip":
		return atLeast(v, 0)
	case "$unwind":
		return c.unwind(v)
	case "$count":
		return c.newField(v)
	case "$sortByCount", "$replaceWith":
		return c.expression(v)
	case "$replaceRoot":
		return c.arguments(v, "newRoot")
	case "$bucket":
		return c.bucket(v, "groupBy boundaries default")
	case "$bucketAuto":
		return c.bucket(v, "groupBy buckets granularity")
	case "$facet":
		return c.facets(v)
	case "$sample":
		return sample(v)
	case "$lookup":
		return c.lookup(v)
	case "$unionWith":
		return c.unionWith(v)
	case "$graphLookup":
		return c.graphLookup(v)
	}
	return notAllowed()
}

func (c *check) match(v value) *Error {
	if !v.isDocument() {
		return invalid("must be a document")
	}
	if err := wellFormed(v.data, MaxFilterDepth); err != nil {
		return err
	}
	return c.filter(v.data, stored)
}

// shape checks `$project`, `$addFields` and `$set`.
func (c *check) shape(v value) *Error {
	if !v.isDocument() || isEmpty(v.data) {
		return invalid("must be a non-empty document")
	}
	return eachField(v.data, func(name []byte, v value) *Error {
		if err := c.rules.readable(name); err != nil {
			return err
		}
		return c.shaped(v)
	})
}

// shaped checks what one field becomes: an expression, or a document with more fields.
func (c *check) shaped(v value) *Error {
	if !v.isDocument() || hasOperator(v) {
		if c.isTextScore(v) {
			return nil
		}
		return c.expression(v)
	}
	return eachField(v.data, func(name []byte, v value) *Error {
		if err := pathForm(name); err != nil {
			return err
		}
		return c.shaped(v)
	})
}

func (c *check) unset(v value) *Error {
	if !v.isArray() {
		return c.unsetField(v)
	}
	return eachElement(v.data, c.unsetField)
}

func (c *check) unsetField(v value) *Error {
	path, ok := v.text()
	if !ok {
		return invalid("must be a field name or an array of them")
	}
	return inName(c.rules.readable(path), path)
}

func (c *check) sortStage(v value) *Error {
	if !v.isDocument() || isEmpty(v.data) {
		return invalid("must be a non-empty document")
	}
	return c.sort(v.data)
}

func atLeast(v value, least int64) *Error {
	if n, ok := v.integer(); !ok || n < least {
		return invalid("must be a whole number, and not too small")
	}
	return nil
}

// unwind checks a field path, or the document that has it as `path`.
func (c *check) unwind(v value) *Error {
	if !v.isDocument() {
		return c.fieldPath(v)
	}
	return eachArgument(v, func(name []byte, v value) *Error {
		switch string(name) {
		case "path":
			return c.fieldPath(v)
		case "includeArrayIndex":
			return c.newPath(v)
		case "preserveNullAndEmptyArrays":
			if !v.isBool() {
				return invalid("must be true or false")
			}
			return nil
		}
		return unknownArgument(name)
	})
}

// fieldPath checks a string such as "$a.b", and nothing else.
func (c *check) fieldPath(v value) *Error {
	text, ok := v.text()
	if !ok || !isOperator(text) || bytes.HasPrefix(text, []byte("$$")) {
		return invalid("must be a field path")
	}
	return c.expressionString(text)
}

// newField checks the name of a field that a stage creates.
func (c *check) newField(v value) *Error {
	name, ok := v.text()
	if !ok {
		return invalid("must be a field name")
	}
	return inName(c.newName(name), name)
}

func (c *check) newName(name []byte) *Error {
	if err := nameForm(name); err != nil {
		return err
	}
	return c.rules.visible(name)
}

// newPath checks the path of a field that a stage creates.
func (c *check) newPath(v value) *Error {
	path, ok := v.text()
	if !ok {
		return invalid("must be a field name")
	}
	if err := pathForm(path); err != nil {
		return err.in(path)
	}
	return inName(c.rules.visible(path), path)
}

// facets checks `$facet`. The server refuses one inside another.
func (c *check) facets(v value) *Error {
	if c.facet {
		return notAllowed()
	}
	c.facet = true
	err := eachArgument(v, func(name []byte, v value) *Error {
		if err := c.newName(name); err != nil {
			return err
		}
		return c.pipeline(v)
	})
	c.facet = false
	return err
}

func sample(v value) *Error {
	if !v.isDocument() {
		return invalid("must be a document with size")
	}
	it, ok := only(v.data)
	if !ok {
		return invalid("must be a document with size")
	}
	if string(it.name) != "size" {
		return unknownArgument(it.name).in(it.name)
	}
	return inName(atLeast(it.value, 1), it.name)
}

// collection checks the collection of a join: a string, which is one of the same database.
func (c *check) collection(v value) *Error {
	if v.kind != bson.TypeString {
		return invalid("must be the name of a collection")
	}
	name, _ := v.text()
	if c.rules.Collections == nil {
		return refuse(CodeCollection, "cannot be joined")
	}
	if err := c.rules.Collections(string(name)); err != nil {
		return &Error{Code: CodeCollection, Reason: "names a collection that cannot be joined", Err: err}
	}
	return nil
}
