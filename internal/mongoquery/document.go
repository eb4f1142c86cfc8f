package mongoquery

// document checks a document to store.
func (r *Rules) document(doc []byte) *Error {
	if err := wellFormed(doc, MaxDocumentDepth); err != nil {
		return err
	}
	return eachField(doc, func(name []byte, v value) *Error {
		if err := r.topLevel(name); err != nil {
			return err
		}
		return literal(v)
	})
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
		return eachField(v.data, literalField)
	case v.isArray():
		return eachElement(v.data, literal)
	}
	return nil
}

func literalField(name []byte, v value) *Error {
	if err := nameForm(name); err != nil {
		return err
	}
	return literal(v)
}
