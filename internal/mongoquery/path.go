package mongoquery

import "bytes"

// pathForm checks a dotted path: no segment is empty or begins with a dollar sign, and there is no NUL. Positional
// segments (`$`, `$[]`, `$[x]`) fall under the second rule.
func pathForm(path []byte) *Error {
	segments := 0
	for rest, more := path, true; more; segments++ {
		var segment []byte
		segment, rest, more = bytes.Cut(rest, []byte{'.'})
		if err := segmentForm(segment); err != nil {
			return err
		}
	}
	if segments > MaxSegments {
		return tooComplex("has too many segments")
	}
	return nil
}

func segmentForm(segment []byte) *Error {
	switch {
	case len(segment) == 0:
		return invalid("has an empty name")
	case segment[0] == '$':
		return notAllowed()
	case bytes.IndexByte(segment, 0) >= 0:
		return invalid("has a NUL in a name")
	}
	return nil
}

// nameForm checks the name of a field in a document, or of one that a stage creates: one segment.
func nameForm(name []byte) *Error {
	if err := segmentForm(name); err != nil {
		return err
	}
	if bytes.IndexByte(name, '.') >= 0 {
		return invalid("has a dot in a name")
	}
	return nil
}

// segments counts those of a path.
func segments(path []byte) int { return 1 + bytes.Count(path, []byte{'.'}) }

// first is the first segment of a path.
func first(path []byte) []byte {
	segment, _, _ := bytes.Cut(path, []byte{'.'})
	return segment
}

func isReserved(path []byte) bool { return len(path) > 0 && path[0] == '_' }

func isOperator(name []byte) bool { return len(name) > 0 && name[0] == '$' }

// readable checks a path that is read in a stored document: by a filter, a sort, a projection or an expression.
func (r *Rules) readable(path []byte) *Error {
	if err := pathForm(path); err != nil {
		return err
	}
	segment := first(path)
	switch {
	case contains(r.Hidden, segment):
		return refuse(CodeReserved, "is a reserved field")
	case r.DenyReserved && isReserved(segment):
		return refuse(CodeReserved, "is a reserved field")
	case r.Fields != nil && !contains(r.Fields, segment):
		return refuse(CodeField, "is not a field that may be named here")
	}
	return nil
}

// assignable checks a path that is written by any operator.
func (r *Rules) assignable(path []byte) *Error {
	if err := pathForm(path); err != nil {
		return err
	}
	if isReserved(path) || contains(r.Hidden, first(path)) {
		return refuse(CodeReserved, "is a reserved field")
	}
	return nil
}

// visible refuses the hidden names, for places where they would be confusing rather than dangerous: the names of fields
// that a pipeline creates.
func (r *Rules) visible(name []byte) *Error {
	if contains(r.Hidden, first(name)) {
		return refuse(CodeReserved, "is a reserved field")
	}
	return nil
}

func contains(names []string, name []byte) bool {
	for _, n := range names {
		if n == string(name) {
			return true
		}
	}
	return false
}
