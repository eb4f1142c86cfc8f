package mongoquery

import "go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

func (c *check) projection(doc []byte) *Error {
	return eachField(doc, func(name []byte, v value) *Error {
		if err := c.rules.readable(name); err != nil {
			return err
		}
		return c.projected(v)
	})
}

// projected checks what is said of one field. A string would be an expression, hence a way to read another field.
func (c *check) projected(v value) *Error {
	if v.isDocument() {
		return c.projectionOperator(v)
	}
	if v.isBool() {
		return nil
	}
	if n, ok := v.integer(); !ok || n != 0 && n != 1 {
		return invalid("must be 0, 1, true or false")
	}
	return nil
}

func (c *check) projectionOperator(v value) *Error {
	it, ok := only(v.data)
	if !ok {
		return invalid("must be one operator")
	}
	switch string(it.name) {
	case "$slice":
		return inName(sliceBounds(it.value), it.name)
	case "$elemMatch":
		return inName(c.elemMatch(it.value), it.name)
	case "$meta":
		if c.isTextScore(v) {
			return nil
		}
	}
	if !isOperator(it.name) {
		return invalid("must be 0, 1, true, false or an operator; name a nested field by its dotted path")
	}
	return notAllowed().in(it.name)
}

// sliceBounds checks a number, or a pair of them.
func sliceBounds(v value) *Error {
	if _, ok := v.integer(); ok {
		return nil
	}
	if !v.isArray() || count(v.data) != 2 {
		return invalid("must be a whole number or two of them")
	}
	for it := walk(v.data); it.next(); {
		if _, ok := it.integer(); !ok {
			return invalid("must be a whole number or two of them")
		}
	}
	return nil
}

// names turns an array of names into the projection that includes them.
func (r *Rules) names(array []byte) ([]byte, *Error) {
	if err := container(array, true, 1); err != nil {
		return nil, err
	}
	if isEmpty(array) {
		return nil, invalid("is empty")
	}
	names := make(map[string]bool)
	at, doc := bsoncore.AppendDocumentStart(make([]byte, 0, len(array)+8))
	i := 0
	for it := walk(array); it.next(); i++ {
		name, ok := it.text()
		if !ok {
			return nil, invalid("must be a string").at(i)
		}
		if err := r.readable(name); err != nil {
			return nil, err.in(name)
		}
		if names[string(name)] {
			return nil, invalid("is given twice").in(name)
		}
		names[string(name)] = true
		doc = bsoncore.AppendInt32Element(doc, string(name), 1)
	}
	doc, _ = bsoncore.AppendDocumentEnd(doc, at)
	return doc, nil
}
