package mongoquery

// group checks `$group`.
func (c *check) group(v value) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		if string(name) == "_id" {
			return c.expression(v)
		}
		return c.accumulated(name, v)
	})
}

// bucket checks `$bucket` and `$bucketAuto`.
func (c *check) bucket(v value, known string) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		if string(name) == "output" {
			return eachArgument(v, c.accumulated)
		}
		return c.argument(name, v, known)
	})
}

// accumulated checks one field of a group.
func (c *check) accumulated(name []byte, v value) *Error {
	if err := c.newName(name); err != nil {
		return err
	}
	if !v.isDocument() {
		return invalid("must be an accumulator")
	}
	it, ok := only(v.data)
	if !ok {
		return invalid("must be one accumulator")
	}
	return inName(c.accumulator(it.name, it.value), it.name)
}

func (c *check) accumulator(name []byte, v value) *Error {
	if err := c.operator(); err != nil {
		return err
	}
	switch string(name) {
	case "$addToSet", "$avg", "$first", "$last", "$max", "$mergeObjects", "$min", "$push", "$stdDevPop", "$stdDevSamp",
		"$sum":
		return c.expression(v)
	case "$firstN", "$lastN", "$maxN", "$minN", "$median", "$percentile":
		return c.arguments(v, argumentsOf(name))
	case "$bottom", "$bottomN", "$top", "$topN":
		return c.ranked(v)
	case "$count":
		if !v.isDocument() || !isEmpty(v.data) {
			return invalid("must be an empty document")
		}
		return nil
	}
	return notAllowed()
}

// ranked checks `$top` and its like, which have an order of their own.
func (c *check) ranked(v value) *Error {
	return eachArgument(v, func(name []byte, v value) *Error {
		if string(name) == "sortBy" {
			return c.sortStage(v)
		}
		return c.argument(name, v, "output n")
	})
}
