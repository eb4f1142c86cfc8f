package mongoquery

// isPlainOperator is the list of expression operators that do nothing but compute from their arguments, and take as
// argument an expression or an array of them. Some, such as `$year`, take a document too, which is checked as an object.
func isPlainOperator(name []byte) bool {
	switch string(name) {
	case
		// arithmetic
		"$abs", "$add", "$ceil", "$divide", "$exp", "$floor", "$ln", "$log", "$log10", "$mod", "$multiply", "$pow",
		"$round", "$sqrt", "$subtract", "$trunc", "$bitAnd", "$bitNot", "$bitOr", "$bitXor",
		// array
		"$arrayElemAt", "$arrayToObject", "$concatArrays", "$first", "$in", "$indexOfArray", "$isArray", "$last",
		"$objectToArray", "$range", "$reverseArray", "$size", "$slice",
		// boolean, comparison, conditional
		"$and", "$not", "$or", "$cmp", "$eq", "$gt", "$gte", "$lt", "$lte", "$ne", "$ifNull",
		// date
		"$dayOfMonth", "$dayOfWeek", "$dayOfYear", "$hour", "$isoDayOfWeek", "$isoWeek", "$isoWeekYear", "$millisecond",
		"$minute", "$month", "$second", "$tsIncrement", "$tsSecond", "$week", "$year",
		// object, set
		"$mergeObjects", "$allElementsTrue", "$anyElementTrue", "$setDifference", "$setEquals", "$setIntersection",
		"$setIsSubset", "$setUnion",
		// string
		"$concat", "$indexOfBytes", "$indexOfCP", "$split", "$strLenBytes", "$strLenCP", "$strcasecmp", "$substr",
		"$substrBytes", "$substrCP", "$toLower", "$toUpper",
		// trigonometry
		"$acos", "$acosh", "$asin", "$asinh", "$atan", "$atan2", "$atanh", "$cos", "$cosh", "$degreesToRadians",
		"$radiansToDegrees", "$sin", "$sinh", "$tan", "$tanh",
		// type
		"$binarySize", "$bsonSize", "$isNumber", "$toBool", "$toDate", "$toDecimal", "$toDouble", "$toInt", "$toLong",
		"$toObjectId", "$toString", "$type",
		// statistics over an array
		"$avg", "$max", "$min", "$stdDevPop", "$stdDevSamp", "$sum":
		return true
	}
	return false
}

// argumentsOf gives the argument names of the operators that take all of them as expressions by name, and "" for others.
func argumentsOf(name []byte) string {
	switch string(name) {
	case "$convert":
		return "input to onError onNull format byteOrder"
	case "$dateAdd", "$dateSubtract":
		return "startDate unit amount timezone"
	case "$dateDiff":
		return "startDate endDate unit timezone startOfWeek"
	case "$dateFromParts":
		return "year isoWeekYear month isoWeek day isoDayOfWeek hour minute second millisecond timezone"
	case "$dateFromString":
		return "dateString format timezone onError onNull"
	case "$dateToParts":
		return "date timezone iso8601"
	case "$dateToString":
		return "date format timezone onNull"
	case "$dateTrunc":
		return "date unit binSize timezone startOfWeek"
	case "$firstN", "$lastN", "$maxN", "$minN":
		return "n input"
	case "$ltrim", "$rtrim", "$trim":
		return "input chars"
	case "$median":
		return "input method"
	case "$percentile":
		return "input p method"
	case "$reduce":
		return "input initialValue in"
	case "$replaceAll", "$replaceOne":
		return "input find replacement"
	case "$zip":
		return "inputs useLongestLength defaults"
	}
	return ""
}

// switchCases checks `$switch`.
func (c *check) switchCases(v value) *Error {
	return c.eachArgument(v, func(name []byte, v value) *Error {
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
	i := 0
	for it := walk(v.data); it.next(); i++ {
		if err := c.arguments(it.value, "case then"); err != nil {
			return err.at(i)
		}
	}
	return nil
}

// let checks `$let`.
func (c *check) let(v value) *Error {
	return c.eachArgument(v, func(name []byte, v value) *Error {
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
	return c.eachArgument(v, func(name []byte, v value) *Error {
		if !isVariable(name) {
			return invalid("is not a name for a variable")
		}
		return c.expression(v)
	})
}

// binding checks an operator that names the element it is working on by `as`.
func (c *check) binding(v value, known string) *Error {
	return c.eachArgument(v, func(name []byte, v value) *Error {
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
	return c.eachArgument(v, func(name []byte, v value) *Error {
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
	if !v.isDocument() && string(operator) == "$getField" {
		return c.constantField(v)
	}
	if isLiteral(v) && string(operator) == "$getField" {
		return c.constantField(v)
	}
	return c.eachArgument(v, func(name []byte, v value) *Error {
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
	return c.eachArgument(v, func(name []byte, v value) *Error {
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

// eachArgument walks a document of named arguments.
func (c *check) eachArgument(v value, argument func(name []byte, v value) *Error) *Error {
	if !v.isDocument() {
		return invalid("must be a document of arguments")
	}
	for it := walk(v.data); it.next(); {
		if err := argument(it.name, it.value); err != nil {
			return err.in(it.name)
		}
	}
	return nil
}

func unknownArgument(name []byte) *Error {
	if isOperator(name) {
		return notAllowed()
	}
	return invalid("is not an argument")
}
