package mongoquery

import "bytes"

// expression checks a value that the server computes: a field path, a variable, an operator, or a literal with any of
// these inside.
func (c *check) expression(v value) *Error {
	if text, ok := v.text(); ok {
		return c.expressionString(text)
	}
	switch {
	case v.isDocument():
		return c.expressionDocument(v.data)
	case v.isArray():
		return eachElement(v.data, c.expression)
	}
	return nil
}

func (c *check) expressionString(text []byte) *Error {
	if !isOperator(text) {
		return nil
	}
	if bytes.HasPrefix(text, []byte("$$")) {
		return inName(c.variable(text[2:]), text)
	}
	return inName(c.rules.readable(text[1:]), text)
}

// variable checks `$$name` and `$$name.path`. Whatever a variable holds, no hidden name may follow it: it could hold the
// document.
func (c *check) variable(text []byte) *Error {
	name, path, dotted := bytes.Cut(text, []byte{'.'})
	switch string(name) {
	case "ROOT", "CURRENT":
		if dotted {
			return c.rules.readable(path)
		}
		if c.filtering || c.rules.DenyReserved || c.rules.Fields != nil {
			return refuse(CodeReserved, "reads the whole document")
		}
		return nil
	case "NOW", "REMOVE":
		if dotted {
			return notAllowed()
		}
		return nil
	}
	if !isVariable(name) {
		return notAllowed()
	}
	if !dotted {
		return nil
	}
	if err := pathForm(path); err != nil {
		return err
	}
	return c.rules.visible(path)
}

// isVariable is true for the names that a client may give to a variable. System variables are in capitals; among them
// is CURRENT, whose meaning could be changed by `$let`.
func isVariable(name []byte) bool {
	for i, b := range name {
		lower := b >= 'a' && b <= 'z'
		other := b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
		if !lower && (i == 0 || !other) {
			return false
		}
	}
	return len(name) > 0
}

// expressionDocument checks one operator, or an object whose fields are computed.
func (c *check) expressionDocument(doc []byte) *Error {
	operators, err := isOperators(doc)
	if err != nil {
		return err
	}
	if operators {
		return c.oneOperator(doc)
	}
	return eachField(doc, c.computed)
}

func (c *check) computed(name []byte, v value) *Error {
	if err := nameForm(name); err != nil {
		return err
	}
	if err := c.rules.visible(name); err != nil {
		return err
	}
	return c.expression(v)
}

func (c *check) oneOperator(doc []byte) *Error {
	it, ok := only(doc)
	if !ok {
		return invalid("must be one operator")
	}
	return inName(c.expressionOperator(it.name, it.value), it.name)
}

func (c *check) expressionOperator(name []byte, v value) *Error {
	if err := c.operator(); err != nil {
		return err
	}
	if isPlainOperator(name) {
		return c.expression(v)
	}
	if known := argumentsOf(name); known != "" {
		return c.arguments(v, known)
	}
	switch string(name) {
	case "$literal":
		return literal(v)
	case "$cond":
		if v.isArray() {
			return c.expression(v)
		}
		return c.arguments(v, "if then else")
	case "$switch":
		return c.switchCases(v)
	case "$let":
		return c.let(v)
	case "$map":
		return c.binding(v, "input in")
	case "$filter":
		return c.binding(v, "input cond limit")
	case "$sortArray":
		return c.sortArray(v)
	case "$getField", "$setField", "$unsetField":
		return c.fieldOperator(v, name)
	case "$regexMatch", "$regexFind", "$regexFindAll":
		return c.regexOperator(v)
	}
	return notAllowed()
}
