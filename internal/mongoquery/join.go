package mongoquery

const maxJoinArguments = 8 // of $graphLookup

// lookup checks `$lookup`.
func (c *check) lookup(v value) *Error {
	return c.join(v, "from", func(name []byte, v value) *Error {
		switch string(name) {
		case "from":
			return c.collection(v)
		case "localField", "foreignField":
			return c.joinField(v)
		case "let":
			return c.variables(v)
		case "pipeline":
			return c.pipeline(v)
		case "as":
			return c.newPath(v)
		}
		return unknownArgument(name)
	})
}

// unionWith checks `$unionWith`: a collection, or a document with it.
func (c *check) unionWith(v value) *Error {
	if !v.isDocument() {
		return c.collection(v)
	}
	return c.join(v, "coll", func(name []byte, v value) *Error {
		switch string(name) {
		case "coll":
			return c.collection(v)
		case "pipeline":
			return c.pipeline(v)
		}
		return unknownArgument(name)
	})
}

// graphLookup checks `$graphLookup`.
func (c *check) graphLookup(v value) *Error {
	return c.join(v, "from", func(name []byte, v value) *Error {
		switch string(name) {
		case "from":
			return c.collection(v)
		case "startWith":
			return c.expression(v)
		case "connectFromField", "connectToField":
			return c.joinField(v)
		case "as":
			return c.newPath(v)
		case "maxDepth":
			return atLeast(v, 0)
		case "depthField":
			return c.newPath(v)
		case "restrictSearchWithMatch":
			return c.match(v)
		}
		return unknownArgument(name)
	})
}

// join checks the arguments of a join, each name at most once, so that what is checked is what the server sees, and
// that it says which collection it is of: without one the server may take the documents from the pipeline itself.
func (c *check) join(v value, collection string, argument func(name []byte, v value) *Error) *Error {
	if !v.isDocument() || !has(v.data, collection) {
		return invalid("must be a document that names a collection")
	}
	if name, ok := repeated(v.data); ok {
		return invalid("is given twice").in(name)
	}
	return eachArgument(v, argument)
}

// repeated finds a name that a document has twice. More names than any join has need not be compared.
func repeated(doc []byte) ([]byte, bool) {
	n := 0
	for it := walk(doc); it.next() && n < maxJoinArguments; n++ {
		for later := (elements{rest: it.rest}); later.next(); {
			if string(later.name) == string(it.name) {
				return it.name, true
			}
		}
	}
	return nil, false
}

// joinField checks a path that is compared in one collection or the other.
func (c *check) joinField(v value) *Error {
	path, ok := v.text()
	if !ok {
		return invalid("must be a field name")
	}
	return inName(c.rules.readable(path), path)
}
