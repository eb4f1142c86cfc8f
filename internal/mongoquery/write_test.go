package mongoquery_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

func TestUpdateAllows(t *testing.T) {
	t.Parallel()
	for name, update := range map[string]string{
		"fields":           `{"$set": {"a": 1, "b.c": {"d": [1]}, "b.0.e": null, "a._b": 1}, "$setOnInsert": {"x": 1}, "$unset": {"y": ""}}`,
		"numbers":          `{"$inc": {"a": 1, "b": 1.5, "c": {"$numberLong": "3"}}, "$mul": {"d": {"$numberDecimal": "2"}}, "$min": {"e": "x"}, "$max": {"f": {"$date": "2024-01-01T00:00:00Z"}}}`,
		"rename":           `{"$rename": {"a": "b.c"}}`,
		"push":             `{"$push": {"a": 1, "b": {"c": 1}, "d": {"$each": [1, {"x": 2}], "$slice": -5, "$position": 0, "$sort": {"x": -1}}, "e": {"$sort": 1, "$each": []}}}`,
		"add to set":       `{"$addToSet": {"a": {"b": 1}, "c": {"$each": [1, 2]}}}`,
		"pull":             `{"$pull": {"a": 1, "b": {"$in": [1]}, "c": {"d": 8, "e": {"$gt": 1}}, "f": {"$or": [{"g": 1}, {"h": 1}]}, "i": {"$regularExpression": {"pattern": "x", "options": ""}}}}`,
		"pull all and pop": `{"$pullAll": {"a": [1, {"b": 1}]}, "$pop": {"c": -1, "d": 1}}`,
		"bits":             `{"$bit": {"a": {"and": 5, "or": {"$numberLong": "1"}}}}`,
		"dates":            `{"$currentDate": {"a": true, "b": {"$type": "date"}, "c": {"$type": "timestamp"}}}`,
		"nothing to set":   `{"$set": {}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			update := doc(t, update)
			got, err := open().Update(update)
			expect(t, err, want{})
			if string(got) != string(update) {
				t.Errorf("changed to %s", got)
			}
		})
	}
}

func TestUpdateWithoutOperatorsSetsItsFields(t *testing.T) {
	t.Parallel()
	got, err := open().Update(doc(t, `{"a": 1, "b": {"_c": [2]}}`))
	expect(t, err, want{})
	if wanted := doc(t, `{"$set": {"a": 1, "b": {"_c": [2]}}}`); string(got) != string(wanted) {
		t.Errorf("got %s, want %s", got, wanted)
	}
}

func TestUpdateRefuses(t *testing.T) {
	t.Parallel()
	const (
		operator = mongoquery.CodeOperator
		reserved = mongoquery.CodeReserved
		invalid  = mongoquery.CodeInvalid
	)
	for name, row := range map[string]struct {
		update string
		want   want
	}{
		"an unknown operator":           {`{"$where": {"a": 1}}`, want{"document.$where", operator}},
		"a pipeline stage":              {`{"$addFields": {"a": 1}}`, want{"document.$addFields", operator}},
		"operators and fields":          {`{"$set": {"a": 1}, "b": 2}`, want{"document.b", invalid}},
		"fields and operators":          {`{"b": 2, "$set": {"a": 1}}`, want{"document.$set", invalid}},
		"an array for a document":       {`{"$set": [{"a": 1}]}`, want{"document.$set", invalid}},
		"a reserved field":              {`{"$set": {"_id": 1}}`, want{"document.$set._id", reserved}},
		"a reserved field, plain":       {`{"a": 1, "_inserted": 1}`, want{"document._inserted", reserved}},
		"a reserved field, dotted":      {`{"$set": {"_sessions.a.b": 1}}`, want{"document.$set._sessions.a.b", reserved}},
		"a reserved field by unset":     {`{"$unset": {"_password": 1}}`, want{"document.$unset._password", reserved}},
		"a reserved field by inc":       {`{"$inc": {"_version": -1}}`, want{"document.$inc._version", reserved}},
		"a reserved field by push":      {`{"$push": {"_a": 1}}`, want{"document.$push._a", reserved}},
		"a reserved field by pull":      {`{"$pull": {"_a": {"$exists": true}}}`, want{"document.$pull._a", reserved}},
		"a reserved field by date":      {`{"$currentDate": {"_patched": true}}`, want{"document.$currentDate._patched", reserved}},
		"renaming a reserved field":     {`{"$rename": {"_password": "a"}}`, want{"document.$rename._password", reserved}},
		"renaming to a reserved field":  {`{"$rename": {"a": "_id"}}`, want{"document.$rename.a._id", reserved}},
		"renaming to no string":         {`{"$rename": {"a": 1}}`, want{"document.$rename.a", invalid}},
		"renaming to an operator":       {`{"$rename": {"a": "b.$c"}}`, want{"document.$rename.a.b.$c", operator}},
		"renaming to a NUL":             {`{"$rename": {"a": "b\u0000c"}}`, want{"document.$rename.a.b\uFFFDc", invalid}},
		"renaming to nothing":           {`{"$rename": {"a": ""}}`, want{`document.$rename.a.""`, invalid}},
		"a positional path":             {`{"$set": {"a.$": 1}}`, want{"document.$set.a.$", operator}},
		"a positional path for all":     {`{"$set": {"a.$[].b": 1}}`, want{"document.$set.a.$[].b", operator}},
		"a filtered positional path":    {`{"$set": {"a.$[x].b": 1}}`, want{"document.$set.a.$[x].b", operator}},
		"an empty segment":              {`{"$set": {"a..b": 1}}`, want{"document.$set.a..b", invalid}},
		"a dot in a plain name":         {`{"a.b": 1}`, want{"document.a.b", invalid}},
		"a dot in a nested name":        {`{"$set": {"a": {"b.c": 1}}}`, want{"document.$set.a.b.c", invalid}},
		"an empty nested name":          {`{"$set": {"a": [{"": 1}]}}`, want{`document.$set.a[0].""`, invalid}},
		"an operator as data":           {`{"$set": {"a": {"$inc": 1}}}`, want{"document.$set.a.$inc", operator}},
		"an operator in an array":       {`{"$set": {"a": [{"b": {"$where": 1}}]}}`, want{"document.$set.a[0].b.$where", operator}},
		"an operator in min":            {`{"$min": {"a": {"$x": 1}}}`, want{"document.$min.a.$x", operator}},
		"an operator in each":           {`{"$push": {"a": {"$each": [{"b": {"$where": 1}}]}}}`, want{"document.$push.a.$each[0].b.$where", operator}},
		"an operator beside each":       {`{"$push": {"a": {"$each": [], "$where": 1}}}`, want{"document.$push.a.$where", operator}},
		"a name beside each":            {`{"$push": {"a": {"b": 1, "$each": []}}}`, want{"document.$push.a.b", operator}},
		"modifiers without each":        {`{"$push": {"a": {"$slice": 1}}}`, want{"document.$push.a", invalid}},
		"each of an object":             {`{"$push": {"a": {"$each": {"0": 1}}}}`, want{"document.$push.a.$each", invalid}},
		"a slice of text":               {`{"$push": {"a": {"$each": [], "$slice": "1"}}}`, want{"document.$push.a.$slice", invalid}},
		"a sort by an operator":         {`{"$push": {"a": {"$each": [], "$sort": {"$where": 1}}}}`, want{"document.$push.a.$sort.$where", operator}},
		"a modifier of push in a set":   {`{"$addToSet": {"a": {"$each": [], "$slice": 1}}}`, want{"document.$addToSet.a.$slice", operator}},
		"where in pull":                 {`{"$pull": {"a": {"$where": 1}}}`, want{"document.$pull.a.$where", operator}},
		"where deeper in pull":          {`{"$pull": {"a": {"b": {"$not": {"$where": 1}}}}}`, want{"document.$pull.a.b.$not.$where", operator}},
		"an expression in pull":         {`{"$pull": {"a": {"$expr": true}}}`, want{"document.$pull.a.$expr", operator}},
		"an expression in pull, nested": {`{"$pull": {"a": {"$and": [{"$expr": true}]}}}`, want{"document.$pull.a.$and[0].$expr", operator}},
		"pulling all of a scalar":       {`{"$pullAll": {"a": 1}}`, want{"document.$pullAll.a", invalid}},
		"pulling all operators":         {`{"$pullAll": {"a": [{"$gt": 1}]}}`, want{"document.$pullAll.a[0].$gt", operator}},
		"incrementing by text":          {`{"$inc": {"a": "1"}}`, want{"document.$inc.a", invalid}},
		"incrementing by an operator":   {`{"$inc": {"a": {"$where": 1}}}`, want{"document.$inc.a", invalid}},
		"popping two":                   {`{"$pop": {"a": 2}}`, want{"document.$pop.a", invalid}},
		"a date of another type":        {`{"$currentDate": {"a": {"$type": "string"}}}`, want{"document.$currentDate.a.$type", invalid}},
		"a date of an operator":         {`{"$currentDate": {"a": {"$where": "date"}}}`, want{"document.$currentDate.a.$where", operator}},
		"a bit of another kind":         {`{"$bit": {"a": {"nand": 1}}}`, want{"document.$bit.a.nand", invalid}},
		"a bit of nothing":              {`{"$bit": {"a": {}}}`, want{"document.$bit.a", invalid}},
		"a date of two":                 {`{"$currentDate": {"a": {"$type": "date", "b": 1}}}`, want{"document.$currentDate.a", invalid}},
		"a date of a number":            {`{"$currentDate": {"a": 1}}`, want{"document.$currentDate.a", invalid}},
		"a sort by no direction":        {`{"$push": {"a": {"$each": [], "$sort": {"b": 2}}}}`, want{"document.$push.a.$sort.b", invalid}},
		"a sort by text":                {`{"$push": {"a": {"$each": [], "$sort": "b"}}}`, want{"document.$push.a.$sort", invalid}},
		"a bit of a fraction":           {`{"$bit": {"a": {"and": 1.5}}}`, want{"document.$bit.a.and", invalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open().Update(doc(t, row.update))
			expect(t, err, row.want)
		})
	}
}

func TestUpdateListIsNarrowedByTheCaller(t *testing.T) {
	t.Parallel()
	rules := &mongoquery.Rules{Updates: []string{"$set", "$where"}}
	_, err := rules.Update(doc(t, `{"$set": {"a": 1}}`))
	expect(t, err, want{})
	_, err = rules.Update(doc(t, `{"$rename": {"a": "b"}}`))
	expect(t, err, want{"document.$rename", mongoquery.CodeOperator})
	_, err = rules.Update(doc(t, `{"$where": {"a": "b"}}`))
	expect(t, err, want{"document.$where", mongoquery.CodeOperator})
}

func TestWritableReservedNamesAreForDocumentsAndSetOnly(t *testing.T) {
	t.Parallel()
	rules := &mongoquery.Rules{Writable: []string{"_key"}, Hidden: []string{"_password"}}
	reserved := func(path string) want { return want{path, mongoquery.CodeReserved} }
	for name, row := range map[string]struct {
		update string
		want   want
	}{
		"plain":           {`{"_key": "x"}`, want{}},
		"set":             {`{"$set": {"_key": "x"}}`, want{}},
		"a field of it":   {`{"$set": {"_key.a": "x"}}`, reserved("document.$set._key.a")},
		"unset":           {`{"$unset": {"_key": ""}}`, reserved("document.$unset._key")},
		"set on insert":   {`{"$setOnInsert": {"_key": ""}}`, reserved("document.$setOnInsert._key")},
		"renamed to":      {`{"$rename": {"a": "_key"}}`, reserved("document.$rename.a._key")},
		"another name":    {`{"$set": {"_keys": "x"}}`, reserved("document.$set._keys")},
		"a hidden field":  {`{"$set": {"_password": "x"}}`, reserved("document.$set._password")},
		"data with names": {`{"$set": {"_key": {"$gt": ""}}}`, want{"document.$set._key.$gt", mongoquery.CodeOperator}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := rules.Update(doc(t, row.update))
			expect(t, err, row.want)
		})
	}
	expect(t, rules.Document(doc(t, `{"_key": "x", "a": 1}`)), want{})
	expect(t, rules.Document(doc(t, `{"_id": "x", "a": 1}`)), reserved("document._id"))
}

func TestDocument(t *testing.T) {
	t.Parallel()
	const (
		operator = mongoquery.CodeOperator
		invalid  = mongoquery.CodeInvalid
	)
	for name, row := range map[string]struct {
		document string
		want     want
	}{
		"every leaf type":      {everyLeaf, want{}},
		"reserved when nested": {`{"a": {"_id": 1, "_password": 2}}`, want{}},
		"look-alikes":          {`{"＄where": 1, "﹩set": {"‚": 1}}`, want{}},
		"an operator":          {`{"$set": {"a": 1}}`, want{"document.$set", operator}},
		"an operator, nested":  {`{"a": [{"b": {"$where": 1}}]}`, want{"document.a[0].b.$where", operator}},
		"a reference":          {`{"a": {"$ref": "b", "$id": 1}}`, want{"document.a.$ref", operator}},
		"an empty name":        {`{"": 1}`, want{`document.""`, invalid}},
		"a dot":                {`{"a.b": 1}`, want{"document.a.b", invalid}},
		"a dot, nested":        {`{"a": {"b.c": 1}}`, want{"document.a.b.c", invalid}},
		"code":                 {`{"a": {"$code": "x"}}`, want{"document.a", invalid}},
		"code with scope":      {`{"a": [{"$code": "x", "$scope": {}}]}`, want{"document.a[0]", invalid}},
		"symbol":               {`{"a": {"$symbol": "x"}}`, want{"document.a", invalid}},
		"pointer":              {`{"a": {"$dbPointer": {"$ref": "b", "$id": {"$oid": "64b64c8f9d1f2e3a4b5c6d7e"}}}}`, want{"document.a", invalid}},
		"undefined":            {`{"a": {"$undefined": true}}`, want{"document.a", invalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, open().Document(doc(t, row.document)), row.want)
		})
	}
}

const everyLeaf = `{"a": null, "b": true, "c": 1, "d": {"$numberLong": "1"}, "e": 1.5, "f": {"$numberDecimal": "1.5"}, "g": "x",
	"h": {"$date": "2024-01-01T00:00:00Z"}, "i": {"$oid": "64b64c8f9d1f2e3a4b5c6d7e"}, "j": {"$binary": {"base64": "eA==", "subType": "00"}},
	"k": {"$regularExpression": {"pattern": "x", "options": "i"}}, "l": {"$timestamp": {"t": 1, "i": 1}}, "m": {"$minKey": 1}, "n": {"$maxKey": 1}}`

func TestForeignTypesAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	code := `{"$code": "sleep(1)"}`
	rules := open()
	for name, row := range map[string]struct {
		err  error
		path string
	}{
		"in a filter":     {rules.Filter(doc(t, `{"a": `+code+`}`)), "query.a"},
		"in an operator":  {rules.Filter(doc(t, `{"a": {"$in": [`+code+`]}}`)), "query.a.$in[0]"},
		"in a projection": {rules.Projection(doc(t, `{"a": `+code+`}`)), "keys.a"},
		"in a sort":       {rules.Sort(doc(t, `{"a": `+code+`}`)), "sort.a"},
		"in a pipeline":   {rules.Pipeline(docs(t, `[{"$project": {"a": {"$literal": `+code+`}}}]`)), "pipeline[0].$project.a.$literal"},
		"in documents":    {rules.Documents(docs(t, `[{"a": 1}, {"a": `+code+`}]`)), "documents[1].a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, row.err, want{row.path, mongoquery.CodeInvalid})
		})
	}
}

func TestDocumentsNamesTheOne(t *testing.T) {
	t.Parallel()
	err := open().Documents([]bson.Raw{doc(t, `{"a": 1}`), doc(t, `{"_id": 1}`)})
	expect(t, err, want{"documents[1]._id", mongoquery.CodeReserved})
}
