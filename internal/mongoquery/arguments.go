package mongoquery

import "strings"

// arguments checks a document of named arguments, each an expression. The names that it may have are in one string, with
// spaces between.
func (c *check) arguments(v value, known string) *Error {
	return eachArgument(v, func(name []byte, v value) *Error { return c.argument(name, v, known) })
}

func (c *check) argument(name []byte, v value, known string) *Error {
	if !isArgument(name, known) {
		return unknownArgument(name)
	}
	return c.expression(v)
}

func isArgument(name []byte, known string) bool {
	for rest := known; rest != ""; {
		var word string
		if word, rest, _ = strings.Cut(rest, " "); word == string(name) {
			return true
		}
	}
	return false
}

func unknownArgument(name []byte) *Error {
	if isOperator(name) {
		return notAllowed()
	}
	return invalid("is not an argument")
}

// eachArgument walks a document of named arguments.
func eachArgument(v value, argument func(name []byte, v value) *Error) *Error {
	if !v.isDocument() {
		return invalid("must be a document of arguments")
	}
	return eachField(v.data, argument)
}

// switchCases checks `$switch`.
func (c *check) switchCases(v value) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		switch string(name) {
		case "branches":
			return c.switchBranches(v)
		case "default":
			return c.expression(v)
		}
		return unknownArgument(name)
	})
}

func (c *check) switchBranches(v value) *Error {
	if !v.isArray() {
		return invalid("must be an array of branches")
	}
	return eachElement(v.data, func(v value) *Error { return c.arguments(v, "case then") })
}

// let checks `$let`.
func (c *check) let(v value) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		switch string(name) {
		case "vars":
			return c.variables(v)
		case "in":
			return c.expression(v)
		}
		return unknownArgument(name)
	})
}

// variables checks names that are bound to expressions: `vars` of `$let`, `let` of `$lookup`.
func (c *check) variables(v value) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		if !isVariable(name) {
			return invalid("is not a name for a variable")
		}
		return c.expression(v)
	})
}

// binding checks an operator that names the element it is working on by `as`.
func (c *check) binding(v value, known string) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		if string(name) != "as" {
			return c.argument(name, v, known)
		}
		if as, ok := v.text(); !ok || !isVariable(as) {
			return invalid("is not a name for a variable")
		}
		return nil
	})
}

func (c *check) sortArray(v value) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		switch string(name) {
		case "input":
			return c.expression(v)
		case "sortBy":
			return elementOrder(v)
		}
		return unknownArgument(name)
	})
}

// fieldOperator checks the operators that name a field by a string which is no path. It must be a constant: a computed
// name could be any. Without `input`, `$getField` reads the document.
func (c *check) fieldOperator(v value, operator []byte) *Error {
	if string(operator) == "$getField" && (!v.isDocument() || isLiteral(v)) {
		return c.constantField(v)
	}
	return eachArgument(v, func(name []byte, v value) *Error {
		if string(name) == "field" {
			return c.constantField(v)
		}
		return c.argument(name, v, "input value")
	})
}

func isLiteral(v value) bool {
	if !v.isDocument() {
		return false
	}
	it, ok := only(v.data)
	return ok && string(it.name) == "$literal"
}

func (c *check) constantField(v value) *Error {
	if isLiteral(v) {
		it, _ := only(v.data)
		return inName(c.fieldString(it.value), it.name)
	}
	if text, ok := v.text(); ok && isOperator(text) {
		return invalid("must be a constant")
	}
	return c.fieldString(v)
}

func (c *check) fieldString(v value) *Error {
	text, ok := v.text()
	if !ok || len(text) == 0 {
		return invalid("must be a constant")
	}
	reserved := c.rules.DenyReserved && isReserved(text)
	if reserved || contains(c.rules.Hidden, first(text)) {
		return refuse(CodeReserved, "is a reserved field").in(text)
	}
	if c.rules.Fields != nil && !contains(c.rules.Fields, first(text)) {
		return refuse(CodeField, "is not a field that may be named here").in(text)
	}
	return nil
}

// regexOperator checks `$regexMatch` and its like. The pattern must be a constant: one that comes out of the data has no
// bound.
func (c *check) regexOperator(v value) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		switch string(name) {
		case "input":
			return c.expression(v)
		case "regex":
			if text, ok := v.text(); ok && isOperator(text) {
				return invalid("must be a constant")
			}
			return regexOperand(v)
		case "options":
			text, ok := v.text()
			if !ok {
				return invalid("must be a string")
			}
			return options(text)
		}
		return unknownArgument(name)
	})
}
