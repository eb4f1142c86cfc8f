package mongoquery_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

// fields decodes what was accepted: that must be possible.
func fields(t *testing.T, raw bson.Raw) bson.D {
	t.Helper()
	var d bson.D
	if err := raw.Validate(); err != nil {
		t.Fatalf("accepted, and malformed: %v", err)
	}
	if err := bson.Unmarshal(raw, &d); err != nil {
		t.Fatalf("accepted, and not to be read: %v", err)
	}
	return d
}

// walker reads accepted things again.
type walker struct {
	t     *testing.T
	lists map[string][]string // what doc.go publishes, by section
}

func (w walker) mustBe(name, section string) {
	w.t.Helper()
	if !slices.Contains(w.lists[section], name) {
		w.t.Fatalf("%q passed among %s", name, section)
	}
}

// path is a field of the stored document.
func (w walker) path(path string) {
	w.t.Helper()
	w.names(strings.Split(path, "."))
	if hiddenPath.MatchString(path) {
		w.t.Fatalf("hidden %q passed", path)
	}
}

var (
	hiddenPath  = regexp.MustCompile(`^_(password|sessions)(\.|$)`)
	hiddenField = regexp.MustCompile(`^\$(\$[^.]*\.)?_(password|sessions)(\.|$)`)
	variable    = regexp.MustCompile(`^\$\$(ROOT|CURRENT|NOW|REMOVE|[a-z][A-Za-z0-9_]*)(\.|$)`)
	wholeRoot   = regexp.MustCompile(`^\$\$(ROOT|CURRENT)$`)
)

func (w walker) names(names []string) {
	w.t.Helper()
	for _, name := range names {
		if name == "" || name[0] == '$' || strings.ContainsAny(name, ".\x00") {
			w.t.Fatalf("name %q passed", name)
		}
	}
}

// data has no operator at any depth.
func (w walker) data(v any) {
	w.t.Helper()
	switch v := v.(type) {
	case bson.D:
		for _, e := range v {
			w.names([]string{e.Key})
			w.data(e.Value)
		}
	case bson.A:
		for _, e := range v {
			w.data(e)
		}
	}
}

func (w walker) document(d bson.D) {
	w.data(d)
	for _, e := range d {
		if e.Key[0] == '_' {
			w.t.Fatalf("reserved %q passed", e.Key)
		}
	}
}

func startsWithOperator(v any) bool {
	d, ok := v.(bson.D)
	return ok && len(d) > 0 && strings.HasPrefix(d[0].Key, "$")
}

func (w walker) filter(d bson.D, stored bool) {
	for _, e := range d {
		switch {
		case e.Key == "$and" || e.Key == "$or" || e.Key == "$nor":
			for _, branch := range e.Value.(bson.A) {
				w.filter(branch.(bson.D), stored)
			}
		case e.Key == "$expr" && stored:
			w.expression(e.Value, true)
		case e.Key == "$text" && stored:
			w.arguments(e.Value.(bson.D), "$search", "$language", "$caseSensitive", "$diacriticSensitive")
		default:
			w.names(strings.Split(e.Key, "."))
			if stored {
				w.path(e.Key)
			}
			w.condition(e.Value)
		}
	}
}

func (w walker) condition(v any) {
	if !startsWithOperator(v) {
		w.data(v)
		return
	}
	for _, e := range v.(bson.D) {
		w.mustBe(e.Key, "Filters")
		switch e.Key {
		case "$not":
			if !startsWithOperator(e.Value) {
				w.data(e.Value)
				continue
			}
			w.condition(e.Value)
		case "$elemMatch":
			w.element(e.Value.(bson.D))
		case "$all":
			for _, each := range e.Value.(bson.A) {
				w.condition(each)
			}
		case "$geoWithin", "$geoIntersects", "$near", "$nearSphere":
			if d, ok := e.Value.(bson.D); ok {
				w.arguments(d, "$geometry", "$box", "$center", "$centerSphere", "$polygon", "$maxDistance", "$minDistance")
			}
		default:
			w.data(e.Value)
		}
	}
}

// arguments are named, and their values are data.
func (w walker) arguments(d bson.D, known ...string) {
	for _, e := range d {
		if !slices.Contains(known, e.Key) {
			w.t.Fatalf("argument %q passed", e.Key)
		}
		w.data(e.Value)
	}
}

func (w walker) element(d bson.D) {
	if startsWithOperator(d) && !slices.Contains([]string{"$and", "$or", "$nor"}, d[0].Key) {
		w.condition(d)
		return
	}
	w.filter(d, false)
}

func (w walker) projection(d bson.D) {
	for _, e := range d {
		w.path(e.Key)
		inner, ok := e.Value.(bson.D)
		if !ok {
			switch e.Value.(type) {
			case bool, int32, int64, float64:
			default:
				w.t.Fatalf("%T passed in a projection", e.Value)
			}
			continue
		}
		w.mustBe(inner[0].Key, "Projections and sorts")
		if inner[0].Key == "$elemMatch" {
			w.element(inner[0].Value.(bson.D))
		} else {
			w.data(inner[0].Value)
		}
	}
}

func (w walker) sort(d bson.D) {
	for _, e := range d {
		w.path(e.Key)
		if inner, ok := e.Value.(bson.D); ok && inner[0] != (bson.E{Key: "$meta", Value: "textScore"}) {
			w.t.Fatalf("%v passed in a sort", inner)
		}
	}
}

func (w walker) update(d bson.D) {
	for _, e := range d {
		w.mustBe(e.Key, "Updates")
		for _, field := range e.Value.(bson.D) {
			w.path(field.Key)
			if field.Key[0] == '_' {
				w.t.Fatalf("%s of %q passed", e.Key, field.Key)
			}
			w.assigned(e.Key, field.Value)
		}
	}
}

func (w walker) assigned(operator string, v any) {
	d, _ := v.(bson.D)
	switch {
	case operator == "$rename":
		if target := v.(string); target[0] == '_' {
			w.t.Fatalf("renaming to %q passed", target)
		}
	case operator == "$pull" && d != nil:
		w.element(d)
	case operator == "$push" && startsWithOperator(v):
		w.arguments(d, "$each", "$slice", "$sort", "$position")
	case operator == "$addToSet" && startsWithOperator(v):
		w.arguments(d, "$each")
	case operator == "$currentDate" && d != nil:
		w.arguments(d, "$type")
	default:
		w.data(v)
	}
}

// stage reads one. Whatever is in it that is not a filter, a pipeline or a name is read as an expression.
func (w walker) stage(d bson.D) {
	if len(d) != 1 {
		w.t.Fatalf("%d stages in one passed", len(d))
	}
	name, body := d[0].Key, d[0].Value
	w.mustBe(name, "Stages")
	switch name {
	case "$match":
		w.filter(body.(bson.D), true)
	case "$facet":
		for _, e := range body.(bson.D) {
			w.pipeline(e.Value)
		}
	case "$lookup", "$unionWith", "$graphLookup":
		w.join(body)
	case "$project", "$addFields", "$set", "$group":
		for _, e := range body.(bson.D) {
			w.path(e.Key)
			w.expression(e.Value, false)
		}
	case "$sort":
		w.sort(body.(bson.D))
	default:
		w.expression(body, false)
	}
}

func (w walker) pipeline(v any) {
	for _, stage := range v.(bson.A) {
		w.stage(stage.(bson.D))
	}
}

func (w walker) join(body any) {
	if name, ok := body.(string); ok {
		body = bson.D{{Key: "coll", Value: name}}
	}
	for _, e := range body.(bson.D) {
		switch e.Key {
		case "from", "coll":
			if name := e.Value.(string); name == "" || name[0] == '_' {
				w.t.Fatalf("a join with %q passed", name)
			}
		case "localField", "foreignField", "connectFromField", "connectToField", "as", "depthField":
			w.path(e.Value.(string))
		case "pipeline":
			w.pipeline(e.Value)
		case "restrictSearchWithMatch":
			w.filter(e.Value.(bson.D), true)
		case "let", "startWith", "maxDepth":
			w.expression(e.Value, false)
		default:
			w.t.Fatalf("argument %q passed", e.Key)
		}
	}
}

// expression reads a computed value; of a filter's it may not be the whole document.
func (w walker) expression(v any, filtering bool) {
	switch v := v.(type) {
	case string:
		w.reference(v, filtering)
	case bson.A:
		for _, e := range v {
			w.expression(e, filtering)
		}
	case bson.D:
		for _, e := range v {
			w.computed(e, filtering)
		}
	}
}

func (w walker) reference(s string, filtering bool) {
	switch {
	case hiddenField.MatchString(s):
		w.t.Fatalf("field path %q passed", s)
	case strings.HasPrefix(s, "$$") && !variable.MatchString(s):
		w.t.Fatalf("variable %q passed", s)
	case filtering && wholeRoot.MatchString(s):
		w.t.Fatalf("%q passed in a filter", s)
	}
}

func (w walker) computed(e bson.E, filtering bool) {
	switch {
	case e.Key == "$literal":
		w.data(e.Value)
	case e.Key == "$getField" || e.Key == "field":
		w.fieldName(e.Value, filtering)
	case e.Key == "$meta":
		if e.Value != "textScore" {
			w.t.Fatalf("meta %v passed", e.Value)
		}
	case strings.HasPrefix(e.Key, "$"):
		if !slices.Contains(w.lists["Accumulators"], e.Key) {
			w.mustBe(e.Key, "Expressions")
		}
		w.expression(e.Value, filtering)
	default:
		w.expression(e.Value, filtering)
	}
}

func (w walker) fieldName(v any, filtering bool) {
	switch v := v.(type) {
	case string:
		if hiddenPath.MatchString(v) {
			w.t.Fatalf("getField of %q passed", v)
		}
	case bson.D:
		if len(v) == 1 && v[0].Key == "$literal" {
			w.fieldName(v[0].Value, filtering)
			return
		}
		w.expression(v, filtering)
	default:
		w.expression(v, filtering)
	}
}
