package mongoquery

// document checks a document to store.
func (r *Rules) document(doc []byte) *Error {
	if err := wellFormed(doc, MaxDocumentDepth); err != nil {
		return err
	}
	for it := walk(doc); it.next(); {
		if err := r.topLevel(it.name); err != nil {
			return err.in(it.name)
		}
		if err := literal(it.value); err != nil {
			return err.in(it.name)
		}
	}
	return nil
}

// topLevel checks a name of the document itself, where the reserved ones are.
func (r *Rules) topLevel(name []byte) *Error {
	if err := nameForm(name); err != nil {
		return err
	}
	if contains(r.Writable, name) {
		return nil
	}
	return r.assignable(name)
}

// literal checks a value that is data and nothing else: no name in it, at any depth, could be taken for an operator
// or a path.
func literal(v value) *Error {
	switch {
	case v.isDocument():
		return literalDocument(v.data)
	case v.isArray():
		return literalArray(v.data)
	}
	return nil
}

func literalDocument(doc []byte) *Error {
	for it := walk(doc); it.next(); {
		if err := nameForm(it.name); err != nil {
			return err.in(it.name)
		}
		if err := literal(it.value); err != nil {
			return err.in(it.name)
		}
	}
	return nil
}

func literalArray(array []byte) *Error {
	i := 0
	for it := walk(array); it.next(); i++ {
		if err := literal(it.value); err != nil {
			return err.at(i)
		}
	}
	return nil
}
