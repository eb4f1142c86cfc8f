package mongoquery

import (
	"strconv"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// Guard says what a pipeline runs on and what holds it in.
type Guard struct {
	// Collection is the one that the pipeline runs on.
	Collection string
	// Scope gives the filter that the documents of a collection must match for the caller to see them; an empty one is
	// all. It is asked for Collection and for every collection that is joined. Nil means that there is no scope.
	Scope func(collection string) (bson.Raw, error)
	// Limit is how many documents may come out. 0 is any number.
	Limit int64
}

// Secure checks a pipeline as [Rules.Pipeline] does and returns what may be run:
//
//   - the scope of each collection is matched first, in the pipeline and in each joined one. Where the client begins
//     with `$match` the two are one stage, because `$text` must be in the first;
//   - the hidden fields are removed before the first stage that computes. `$match`, `$sort`, `$skip`, `$limit` and
//     `$sample` may come before that: they pass documents on as they are, and cannot name a hidden field;
//   - `$lookup` by fields alone is given a pipeline (MongoDB 5.0 or later), and `$graphLookup`, which has none, is
//     restricted by `restrictSearchWithMatch` and followed by the removal;
//   - at the end there is a `$limit`.
//
// Its errors are those of Pipeline, and the first one of Scope as it is.
func (r *Rules) Secure(stages []bson.Raw, g Guard) ([]bson.Raw, error) {
	if err := r.Pipeline(stages); err != nil {
		return nil, err
	}
	s := securing{hidden: r.Hidden, scope: g.Scope}
	out, err := s.pipeline(g.Collection, stages)
	if err != nil {
		return nil, err
	}
	if g.Limit > 0 {
		out = append(out, document(bsoncore.AppendInt64Element(nil, "$limit", g.Limit)))
	}
	return out, nil
}

// And is the filter that matches what both do. An empty filter matches all.
func And(a, b bson.Raw) bson.Raw {
	switch {
	case len(a) == 0 || isEmpty(a):
		return b
	case len(b) == 0 || isEmpty(b):
		return a
	}
	return document(appendArray(nil, "$and", []bson.Raw{a, b}))
}

// securing rewrites pipelines that have been checked.
type securing struct {
	hidden []string
	scope  func(string) (bson.Raw, error)
}

// pipeline secures one that reads a collection.
func (s *securing) pipeline(collection string, stages []bson.Raw) ([]bson.Raw, error) {
	match, err := s.match(collection, nil)
	if err != nil {
		return nil, err
	}
	if len(stages) > 0 {
		if it := theStage(stages[0]); string(it.name) == "$match" {
			match, stages = And(match, it.data), stages[1:]
		}
	}
	out := make([]bson.Raw, 0, len(stages)+3)
	if len(match) > 0 {
		out = append(out, document(bsoncore.AppendDocumentElement(nil, "$match", match)))
	}
	for len(stages) > 0 && passesOn(stages[0]) {
		out, stages = append(out, stages[0]), stages[1:]
	}
	if len(s.hidden) > 0 {
		out = append(out, s.removal(""))
	}
	return s.rest(out, stages)
}

// match is the scope of a collection and a filter besides. It is empty where there is neither.
func (s *securing) match(collection string, filter bson.Raw) (bson.Raw, error) {
	if s.scope == nil {
		return filter, nil
	}
	scope, err := s.scope(collection)
	if err != nil {
		return nil, err
	}
	return And(scope, filter), nil
}

// passesOn is true for the stages that give on the documents they get, unchanged.
func passesOn(stage bson.Raw) bool {
	switch string(theStage(stage).name) {
	case "$match", "$sort", "$skip", "$limit", "$sample":
		return true
	}
	return false
}

// removal is the stage that takes the hidden fields out of the document, or out of what is at a path.
func (s *securing) removal(prefix string) bson.Raw {
	at, stage := bsoncore.AppendArrayElementStart(nil, "$unset")
	for i, field := range s.hidden {
		stage = bsoncore.AppendStringElement(stage, strconv.Itoa(i), prefix+field)
	}
	stage, _ = bsoncore.AppendArrayEnd(stage, at)
	return document(stage)
}

// rest appends stages, those that have pipelines or collections in them rewritten.
func (s *securing) rest(out, stages []bson.Raw) ([]bson.Raw, error) {
	for _, stage := range stages {
		rewritten, err := s.stage(theStage(stage))
		if err != nil {
			return nil, err
		}
		if rewritten == nil {
			rewritten = stage
		}
		out = append(out, rewritten)
		if it := theStage(stage); string(it.name) == "$graphLookup" && len(s.hidden) > 0 {
			out = append(out, s.removal(stringAt(it.data, "as")+"."))
		}
	}
	return out, nil
}

// stage rewrites one, and returns nil for what may stay.
func (s *securing) stage(it elements) (bson.Raw, error) {
	var body bson.Raw
	var err error
	switch string(it.name) {
	case "$facet":
		body, err = s.facets(it.data)
	case "$lookup":
		body, err = s.joined(it.data, "from")
	case "$unionWith":
		body, err = s.unionWith(it.value)
	case "$graphLookup":
		body, err = s.graphLookup(it.data)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return document(bsoncore.AppendDocumentElement(nil, string(it.name), body)), nil
}

// facets rewrites the pipelines of `$facet`, whose documents have been through the outer one.
func (s *securing) facets(doc bson.Raw) (bson.Raw, error) {
	var body []byte
	for it := walk(doc); it.next(); {
		stages, err := s.rest(nil, stagesOf(it.value))
		if err != nil {
			return nil, err
		}
		body = appendArray(body, string(it.name), stages)
	}
	return document(body), nil
}

// joined gives a join its pipeline, secured.
func (s *securing) joined(doc bson.Raw, collection string) (bson.Raw, error) {
	var body []byte
	var stages []bson.Raw
	for it := walk(doc); it.next(); {
		if string(it.name) == "pipeline" {
			stages = stagesOf(it.value)
			continue
		}
		body = appendElement(body, it)
	}
	stages, err := s.pipeline(stringAt(doc, collection), stages)
	if err != nil {
		return nil, err
	}
	if len(stages) > 0 || has(doc, "pipeline") {
		body = appendArray(body, "pipeline", stages)
	}
	return document(body), nil
}

func (s *securing) unionWith(v value) (bson.Raw, error) {
	if v.isDocument() {
		return s.joined(v.data, "coll")
	}
	name, _ := v.text()
	return s.joined(document(bsoncore.AppendStringElement(nil, "coll", string(name))), "coll")
}

func (s *securing) graphLookup(doc bson.Raw) (bson.Raw, error) {
	var body []byte
	var filter bson.Raw
	for it := walk(doc); it.next(); {
		if string(it.name) == "restrictSearchWithMatch" {
			filter = it.data
			continue
		}
		body = appendElement(body, it)
	}
	match, err := s.match(stringAt(doc, "from"), filter)
	if err != nil {
		return nil, err
	}
	if len(match) > 0 {
		body = bsoncore.AppendDocumentElement(body, "restrictSearchWithMatch", match)
	}
	return document(body), nil
}

// theStage is the single element of a stage.
func theStage(stage bson.Raw) elements {
	it, _ := only(stage)
	return it
}

func stagesOf(array value) []bson.Raw {
	stages := make([]bson.Raw, 0, 4)
	for it := walk(array.data); it.next(); {
		stages = append(stages, it.data)
	}
	return stages
}

func stringAt(doc bson.Raw, name string) string {
	for it := walk(doc); it.next(); {
		if string(it.name) == name {
			text, _ := it.text()
			return string(text)
		}
	}
	return ""
}

// document makes one of its elements.
func document(elements []byte) bson.Raw {
	return bsoncore.BuildDocument(make([]byte, 0, len(elements)+5), elements)
}

func appendElement(dst []byte, it elements) []byte {
	dst = append(dst, byte(it.kind))
	dst = append(append(dst, it.name...), 0)
	return append(dst, it.data...)
}

func appendArray(dst []byte, name string, docs []bson.Raw) []byte {
	at, dst := bsoncore.AppendArrayElementStart(dst, name)
	for i, doc := range docs {
		dst = appendElement(dst, elements{name: strconv.AppendInt(nil, int64(i), 10), value: value{bson.TypeEmbeddedDocument, doc}})
	}
	dst, _ = bsoncore.AppendArrayEnd(dst, at)
	return dst
}
