package mongoquery

import "go.mongodb.org/mongo-driver/bson"

// place says what the names in a filter are names of.
type place bool

const (
	stored place = false // fields of the stored document
	nested place = true  // fields of an element of an array: inside $elemMatch and $pull
)

func (c *check) filter(doc []byte, at place) *Error {
	if isEmpty(doc) {
		return c.condition()
	}
	return eachField(doc, func(name []byte, v value) *Error { return c.clause(name, v, at) })
}

func (c *check) clause(name []byte, v value, at place) *Error {
	if isOperator(name) {
		return c.topOperator(name, v, at)
	}
	if err := c.fieldName(name, at); err != nil {
		return err
	}
	return c.matched(v)
}

func (c *check) fieldName(name []byte, at place) *Error {
	if at == nested {
		return pathForm(name)
	}
	return c.rules.readable(name)
}

// topOperator checks an operator that stands where field names do.
func (c *check) topOperator(name []byte, v value, at place) *Error {
	switch string(name) {
	case "$and", "$or", "$nor":
		return c.branches(v, at)
	case "$expr":
		if c.rules.Expr && at == stored {
			return c.filterExpression(v)
		}
	case "$text":
		if c.rules.Text && at == stored {
			return c.textSearch(v)
		}
	}
	return notAllowed()
}

func (c *check) branches(v value, at place) *Error {
	if !v.isArray() || isEmpty(v.data) {
		return invalid("must be a non-empty array of documents")
	}
	return eachElement(v.data, func(v value) *Error {
		if !v.isDocument() {
			return invalid("must be a document")
		}
		return c.filter(v.data, at)
	})
}

// filterExpression checks `$expr`. Nothing has removed the hidden fields from the document that it sees, so that it
// must not read the document as a whole.
func (c *check) filterExpression(v value) *Error {
	c.filtering = true
	err := c.expression(v)
	c.filtering = false
	return err
}

// matched checks what a field is compared with: operators, or a value to be equal to.
func (c *check) matched(v value) *Error {
	if v.isDocument() {
		operators, err := isOperators(v.data)
		if err != nil {
			return err
		}
		if operators {
			return c.comparisons(v.data)
		}
	}
	return c.operand(v)
}

// isOperators tells a document of operators from a literal one. What is partly one and partly the other is refused: the
// server looks at the first name only.
func isOperators(doc []byte) (bool, *Error) {
	operators, names := false, false
	for it := walk(doc); it.next(); {
		if isOperator(it.name) {
			operators = true
		} else {
			names = true
		}
		if operators && names {
			return false, invalid("mixes operators and names").in(it.name)
		}
	}
	return operators, nil
}

// operand checks a literal and counts it as a condition.
func (c *check) operand(v value) *Error {
	if err := c.condition(); err != nil {
		return err
	}
	return literal(v)
}

func (c *check) comparisons(doc []byte) *Error {
	return eachField(doc, func(name []byte, v value) *Error { return c.comparison(name, v, doc) })
}

// comparison checks one operator on a field; doc has its siblings.
func (c *check) comparison(name []byte, v value, doc []byte) *Error {
	if err := c.condition(); err != nil {
		return err
	}
	switch string(name) {
	case "$eq", "$ne", "$gt", "$gte", "$lt", "$lte":
		return literal(v)
	case "$in", "$nin":
		return c.operands(v)
	case "$all":
		return c.all(v)
	case "$not":
		return c.not(v)
	case "$elemMatch":
		return c.elemMatch(v)
	case "$exists":
		return existence(v)
	case "$type":
		return typeNames(v)
	case "$size":
		return size(v)
	case "$mod":
		return modulus(v)
	case "$regex":
		return regexOperand(v)
	case "$options":
		return regexOptions(v, doc)
	}
	return c.geo(name, v, doc)
}

func (c *check) operands(v value) *Error {
	if !v.isArray() {
		return invalid("must be an array")
	}
	if count(v.data) > MaxElements {
		return tooComplex("has too many elements")
	}
	return eachElement(v.data, c.element)
}

// element checks one of the alternatives of `$in`. A regular expression is work for every document, hence a condition.
func (c *check) element(v value) *Error {
	if v.kind == bson.TypeRegex {
		return c.condition()
	}
	return literal(v)
}

// all checks `$all`: values, or nothing but `$elemMatch`.
func (c *check) all(v value) *Error {
	if !v.isArray() {
		return invalid("must be an array")
	}
	it := walk(v.data)
	if !it.next() || !isElemMatch(it.value) {
		return c.operands(v)
	}
	return eachElement(v.data, func(v value) *Error {
		if !isElemMatch(v) {
			return invalid("must be $elemMatch like the others")
		}
		return c.comparisons(v.data)
	})
}

func isElemMatch(v value) bool {
	if !v.isDocument() {
		return false
	}
	it, ok := only(v.data)
	return ok && string(it.name) == "$elemMatch"
}

func (c *check) not(v value) *Error {
	if v.kind == bson.TypeRegex {
		return nil
	}
	if v.isDocument() {
		operators, err := isOperators(v.data)
		if err != nil {
			return err
		}
		if operators {
			return c.comparisons(v.data)
		}
	}
	return invalid("must be a document of operators or a regular expression")
}

func (c *check) elemMatch(v value) *Error {
	if !v.isDocument() {
		return invalid("must be a document")
	}
	return c.onElement(v.data)
}

// onElement checks a condition on an element of an array: operators on the element itself, or a filter on its fields.
func (c *check) onElement(doc []byte) *Error {
	it := walk(doc)
	if !it.next() || !isOperator(it.name) || isLogical(it.name) {
		return c.filter(doc, nested)
	}
	if _, err := isOperators(doc); err != nil {
		return err
	}
	return c.comparisons(doc)
}

func isLogical(name []byte) bool {
	switch string(name) {
	case "$and", "$or", "$nor":
		return true
	}
	return false
}
