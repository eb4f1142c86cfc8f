package mongoquery

// sort checks an order of stored documents.
func (c *check) sort(doc []byte) *Error {
	if count(doc) > MaxSortKeys {
		return tooComplex("has too many fields")
	}
	return eachField(doc, func(name []byte, v value) *Error {
		if err := c.rules.readable(name); err != nil {
			return err
		}
		if !c.isTextScore(v) {
			return direction(v)
		}
		return nil
	})
}

func direction(v value) *Error {
	if !v.isDirection() {
		return invalid("must be 1 or -1")
	}
	return nil
}

// elementOrder checks an order of the elements of an array: 1, -1, or fields of the elements.
func elementOrder(v value) *Error {
	if v.isDirection() {
		return nil
	}
	if !v.isDocument() || isEmpty(v.data) {
		return invalid("must be 1, -1 or a document of these")
	}
	if count(v.data) > MaxSortKeys {
		return tooComplex("has too many fields")
	}
	return eachField(v.data, func(name []byte, v value) *Error {
		if err := pathForm(name); err != nil {
			return err
		}
		return direction(v)
	})
}

// isTextScore is true for {$meta: "textScore"} where text search is on.
func (c *check) isTextScore(v value) bool {
	if !c.rules.Text || !v.isDocument() {
		return false
	}
	it, ok := only(v.data)
	if !ok || string(it.name) != "$meta" {
		return false
	}
	what, ok := it.text()
	return ok && string(what) == "textScore"
}
