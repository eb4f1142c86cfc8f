package mongoquery

// sort checks an order of stored documents.
func (c *check) sort(doc []byte) *Error {
	n := 0
	for it := walk(doc); it.next(); n++ {
		if err := c.rules.readable(it.name); err != nil {
			return err.in(it.name)
		}
		if !it.isDirection() && !c.isTextScore(it.value) {
			return invalid("must be 1 or -1").in(it.name)
		}
	}
	if n > MaxSortKeys {
		return tooComplex("has too many fields")
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
	n := 0
	for it := walk(v.data); it.next(); n++ {
		if err := pathForm(it.name); err != nil {
			return err.in(it.name)
		}
		if !it.isDirection() {
			return invalid("must be 1 or -1").in(it.name)
		}
	}
	if n > MaxSortKeys {
		return tooComplex("has too many fields")
	}
	return nil
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
