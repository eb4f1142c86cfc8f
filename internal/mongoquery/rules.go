package mongoquery

import "go.mongodb.org/mongo-driver/bson"

// Rules say what a client may send. The zero value is the strictest in what it turns on: no geo, text or `$expr`, no
// joins; every field may be read and no reserved field written.
//
// Rules may be copied and shared by goroutines; they must not be changed once in use.
type Rules struct {
	// Hidden fields do not exist for the client, at the top level of any document: it may not filter on them, sort by
	// them, project, compute with or write them, and [Rules.Secure] removes them before anything is computed.
	Hidden []string
	// DenyReserved refuses to read reserved fields, those whose first path segment begins with an underscore. They are
	// never writable, either way.
	DenyReserved bool
	// Writable are the reserved names that a document, or `$set`, may carry at its top level, undotted. It is the
	// caller who checks their values.
	Writable []string
	// Fields are the top-level fields that may be read, with all below them. Nil is any.
	Fields []string
	// Geo, Text and Expr turn on the geographic operators, `$text` with `$meta: "textScore"`, and `$expr`.
	Geo, Text, Expr bool
	// Updates are the update operators, such as "$set". Nil is all that this package knows; a name it does not know is
	// never allowed.
	Updates []string
	// Collections decides on a collection that a pipeline joins: nil allows it, an error refuses it and can be had by
	// errors.As and errors.Is from what is returned. A nil function refuses all.
	Collections func(name string) error
}

// Filter checks a query. A refusal is an [*Error] whose path begins with "query".
func (r *Rules) Filter(filter bson.Raw) error {
	err := wellFormed(filter, MaxFilterDepth)
	if err == nil {
		c := check{rules: r}
		err = c.filter(filter, stored)
	}
	return root(err, "query")
}

// Projection checks the fields to return: 0, 1, true or false, `$slice`, `$elemMatch`, and `$meta` with [Rules.Text].
// Expressions are refused. A refusal is an [*Error] whose path begins with "keys".
//
// It keeps hidden fields from being named, not from being returned: an exclusion, or no projection, returns all others.
func (r *Rules) Projection(keys bson.Raw) error {
	err := wellFormed(keys, MaxFilterDepth)
	if err == nil {
		c := check{rules: r}
		err = c.projection(keys)
	}
	return root(err, "keys")
}

// Names checks an array of field names and returns the projection that includes them. A refusal is an [*Error] whose
// path begins with "keys".
func (r *Rules) Names(array bson.Raw) (bson.Raw, error) {
	names, err := r.names(array)
	return names, root(err, "keys")
}

// Sort checks an order: at most [MaxSortKeys] fields, each 1 or -1. A refusal is an [*Error] whose path begins with "sort".
func (r *Rules) Sort(sort bson.Raw) error {
	err := wellFormed(sort, MaxFilterDepth)
	if err == nil {
		c := check{rules: r}
		err = c.sort(sort)
	}
	return root(err, "sort")
}

// Update checks an update and returns it as operators: a document without any is wrapped in `$set`. A refusal is an
// [*Error] whose path begins with "document".
func (r *Rules) Update(update bson.Raw) (bson.Raw, error) {
	checked, err := r.update(update)
	return checked, root(err, "document")
}

// Document checks a document to insert. A refusal is an [*Error] whose path begins with "document".
func (r *Rules) Document(doc bson.Raw) error { return root(r.document(doc), "document") }

// Documents checks documents to insert. A refusal is an [*Error] whose path begins with "documents" and an index.
func (r *Rules) Documents(docs []bson.Raw) error {
	for i, doc := range docs {
		if err := r.document(doc); err != nil {
			return root(err.at(i), "documents")
		}
	}
	return nil
}

// Pipeline checks the stages of an aggregation. A refusal is an [*Error] whose path begins with "pipeline". What passes
// is not yet safe to run where [Rules.Hidden] or a scope matters: [Rules.Secure] makes it so.
func (r *Rules) Pipeline(stages []bson.Raw) error {
	c := check{rules: r, aggregating: true}
	return root(c.stages(stages), "pipeline")
}

// check is the state of one call: the rules and what has been counted.
type check struct {
	rules       *Rules
	conditions  int
	operators   int
	stageCount  int
	aggregating bool // in a pipeline
	facet       bool // inside $facet
	filtering   bool // inside $expr of a filter, where the whole document must not be read
}

func (c *check) condition() *Error {
	c.conditions++
	if c.conditions > MaxConditions {
		return tooComplex("has too many conditions")
	}
	return nil
}

func (c *check) operator() *Error {
	if c.filtering {
		return c.condition()
	}
	c.operators++
	if c.operators > MaxOperators {
		return tooComplex("has too many operators")
	}
	return nil
}
