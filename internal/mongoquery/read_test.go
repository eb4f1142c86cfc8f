package mongoquery_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

func TestProjection(t *testing.T) {
	t.Parallel()
	const (
		operator = mongoquery.CodeOperator
		reserved = mongoquery.CodeReserved
		invalid  = mongoquery.CodeInvalid
	)
	for name, row := range map[string]struct {
		keys string
		want want
	}{
		"nothing":                  {`{}`, want{}},
		"inclusion":                {`{"a": 1, "b.c": true, "_id": 0}`, want{}},
		"exclusion":                {`{"a": 0, "b.c": false, "d": 0.0}`, want{}},
		"parts of arrays":          {`{"a": {"$slice": 5}, "b": {"$slice": [1, 2]}, "c": {"$elemMatch": {"d": 1}}}`, want{}},
		"score":                    {`{"a": {"$meta": "textScore"}}`, want{}},
		"a hidden field":           {`{"_password": 1}`, want{"keys._password", reserved}},
		"a hidden field, excluded": {`{"_password": 0}`, want{"keys._password", reserved}},
		"a hidden field, dotted":   {`{"_sessions.a": 1}`, want{"keys._sessions.a", reserved}},
		"a hidden field, sliced":   {`{"_sessions": {"$slice": 1}}`, want{"keys._sessions", reserved}},
		"a field path":             {`{"a": "$_password"}`, want{"keys.a", invalid}},
		"a variable":               {`{"a": "$$ROOT"}`, want{"keys.a", invalid}},
		"an expression":            {`{"a": {"$getField": "_password"}}`, want{"keys.a.$getField", operator}},
		"a function":               {`{"a": {"$function": {}}}`, want{"keys.a.$function", operator}},
		"a literal":                {`{"a": {"$literal": 1}}`, want{"keys.a.$literal", operator}},
		"an array":                 {`{"a": ["$_password"]}`, want{"keys.a", invalid}},
		"a nested document":        {`{"a": {"b": "$_password"}}`, want{"keys.a", invalid}},
		"two":                      {`{"a": 2}`, want{"keys.a", invalid}},
		"null":                     {`{"a": null}`, want{"keys.a", invalid}},
		"a positional path":        {`{"a.$": 1}`, want{"keys.a.$", operator}},
		"an operator for a name":   {`{"$where": 1}`, want{"keys.$where", operator}},
		"where in elemMatch":       {`{"a": {"$elemMatch": {"$where": "1"}}}`, want{"keys.a.$elemMatch.$where", operator}},
		"expression in elemMatch":  {`{"a": {"$elemMatch": {"$or": [{"$expr": 1}]}}}`, want{"keys.a.$elemMatch.$or[0].$expr", operator}},
		"a slice of three":         {`{"a": {"$slice": [1, 2, 3]}}`, want{"keys.a.$slice", invalid}},
		"a slice by expression":    {`{"a": {"$slice": ["$_password", 1]}}`, want{"keys.a.$slice", invalid}},
		"other meta":               {`{"a": {"$meta": "indexKey"}}`, want{"keys.a.$meta", operator}},
		"two operators":            {`{"a": {"$slice": 1, "$elemMatch": {}}}`, want{"keys.a", invalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, open().Projection(doc(t, row.keys)), row.want)
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		names, keys string
		want        want
	}{
		"names":           {`["a", "b.c"]`, `{"a": 1, "b.c": 1}`, want{}},
		"a hidden field":  {`["a", "_password"]`, "", want{"keys._password", mongoquery.CodeReserved}},
		"a number":        {`["a", 1]`, "", want{"keys[1]", mongoquery.CodeInvalid}},
		"a NUL":           {`["a\u0000_password"]`, "", want{"keys.a\uFFFD_password", mongoquery.CodeInvalid}},
		"a nested array":  {`[["a"]]`, "", want{"keys[0]", mongoquery.CodeTooComplex}},
		"nothing":         {`[]`, "", want{"keys", mongoquery.CodeInvalid}},
		"an operator":     {`["$where"]`, "", want{"keys.$where", mongoquery.CodeOperator}},
		"the same, twice": {`["a", "a"]`, "", want{"keys.a", mongoquery.CodeInvalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := open().Names(bson.Raw(doc(t, `{"a": `+row.names+`}`).Lookup("a").Value))
			expect(t, err, row.want)
			if row.keys != "" && string(got) != string(doc(t, row.keys)) {
				t.Errorf("got %s, want %s", got, row.keys)
			}
		})
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	const (
		operator = mongoquery.CodeOperator
		invalid  = mongoquery.CodeInvalid
	)
	for name, row := range map[string]struct {
		sort string
		want want
	}{
		"nothing":             {`{}`, want{}},
		"both directions":     {`{"a": 1, "b.c": -1, "_id": 1.0, "d": {"$numberLong": "-1"}}`, want{}},
		"score":               {`{"a": {"$meta": "textScore"}}`, want{}},
		"eight":               {`{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1}`, want{}},
		"nine":                {`{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1}`, want{"sort", mongoquery.CodeTooComplex}},
		"a hidden field":      {`{"_password": 1}`, want{"sort._password", mongoquery.CodeReserved}},
		"below a hidden one":  {`{"_sessions.a.b": 1}`, want{"sort._sessions.a.b", mongoquery.CodeReserved}},
		"two":                 {`{"a": 2}`, want{"sort.a", invalid}},
		"zero":                {`{"a": 0}`, want{"sort.a", invalid}},
		"a word":              {`{"a": "desc"}`, want{"sort.a", invalid}},
		"true":                {`{"a": true}`, want{"sort.a", invalid}},
		"nearly one":          {`{"a": 1.5}`, want{"sort.a", invalid}},
		"an operator":         {`{"a": {"$where": "1"}}`, want{"sort.a", invalid}},
		"other meta":          {`{"a": {"$meta": "searchScore"}}`, want{"sort.a", invalid}},
		"an operator, naming": {`{"$natural": 1}`, want{"sort.$natural", operator}},
		"an empty name":       {`{"": 1}`, want{`sort.""`, invalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, open().Sort(doc(t, row.sort)), row.want)
		})
	}
}

func TestWhatIsOffIsRefused(t *testing.T) {
	t.Parallel()
	closed := &mongoquery.Rules{}
	refused := func(path string) want { return want{path, mongoquery.CodeOperator} }
	for name, row := range map[string]struct {
		err  error
		want want
	}{
		"expr":          {closed.Filter(doc(t, `{"$expr": true}`)), refused("query.$expr")},
		"expr in match": {closed.Pipeline(docs(t, `[{"$match": {"$or": [{"$expr": true}]}}]`)), refused("pipeline[0].$match.$or[0].$expr")},
		"text":          {closed.Filter(doc(t, `{"$text": {"$search": "x"}}`)), refused("query.$text")},
		"score":         {closed.Projection(doc(t, `{"a": {"$meta": "textScore"}}`)), refused("keys.a.$meta")},
		"geo":           {closed.Filter(doc(t, `{"a": {"$geoWithin": {"$box": [[0, 0], [1, 1]]}}}`)), refused("query.a.$geoWithin")},
		"joins":         {closed.Pipeline(docs(t, `[{"$unionWith": "a"}]`)), want{"pipeline[0].$unionWith", mongoquery.CodeCollection}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, row.err, row.want)
		})
	}
}

func TestReservedFieldsCanBeClosedToReading(t *testing.T) {
	t.Parallel()
	rules := &mongoquery.Rules{DenyReserved: true, Expr: true}
	reserved := func(path string) want { return want{path, mongoquery.CodeReserved} }
	expect(t, rules.Filter(doc(t, `{"a._b": 1, "$expr": "$a._b"}`)), want{})
	for filter, path := range map[string]string{
		`{"_key": "x"}`:                                  "query._key",
		`{"$or": [{"_a.b": {"$gt": ""}}]}`:               "query.$or[0]._a.b",
		`{"$expr": {"$gt": ["$_key", "a"]}}`:             "query.$expr.$gt[0].$_key",
		`{"$expr": {"$objectToArray": "$$ROOT"}}`:        "query.$expr.$objectToArray.$$ROOT",
		`{"$expr": {"$getField": "_key"}}`:               "query.$expr.$getField._key",
		`{"$expr": {"$getField": {"$literal": "_key"}}}`: "query.$expr.$getField.$literal._key",
	} {
		expect(t, rules.Filter(doc(t, filter)), reserved(path))
	}
	expect(t, rules.Sort(doc(t, `{"_inserted": 1}`)), reserved("sort._inserted"))
	expect(t, rules.Pipeline(docs(t, `[{"$replaceWith": "$$ROOT"}]`)), reserved("pipeline[0].$replaceWith.$$ROOT"))
	expect(t, rules.Projection(doc(t, `{"_id": 0}`)), reserved("keys._id"))
}

func TestFieldsCanBeListed(t *testing.T) {
	t.Parallel()
	rules := &mongoquery.Rules{Fields: []string{"_id", "metadata"}, Expr: true}
	unknown := func(path string) want { return want{path, mongoquery.CodeField} }
	expect(t, rules.Filter(doc(t, `{"_id": "x", "metadata.a.b": 1, "metadata": {"$exists": true}}`)), want{})
	expect(t, rules.Filter(doc(t, `{"metadata": {"$elemMatch": {"any": 1}}}`)), want{})
	expect(t, rules.Filter(doc(t, `{"$or": [{"_filepath": "x"}]}`)), unknown("query.$or[0]._filepath"))
	expect(t, rules.Filter(doc(t, `{"metadatas": 1}`)), unknown("query.metadatas"))
	expect(t, rules.Filter(doc(t, `{"$expr": "$_filepath"}`)), unknown("query.$expr.$_filepath"))
	expect(t, rules.Filter(doc(t, `{"$expr": {"$getField": "_filepath"}}`)), unknown("query.$expr.$getField._filepath"))
	expect(t, rules.Filter(doc(t, `{"$expr": "$$ROOT"}`)), want{"query.$expr.$$ROOT", mongoquery.CodeReserved})
	expect(t, rules.Sort(doc(t, `{"_filepath": 1}`)), unknown("sort._filepath"))
}
