package mongoquery_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

// owned is a scope that names the collection, so that a mix-up shows.
func owned(collection string) (bson.Raw, error) {
	return bson.Marshal(bson.D{{Key: "owner", Value: "me in " + collection}})
}

// extended writes stages as Extended JSON, one a line.
func extended(tb testing.TB, stages []bson.Raw) []string {
	tb.Helper()
	lines := make([]string, 0, len(stages))
	for _, stage := range stages {
		if err := stage.Validate(); err != nil {
			tb.Fatalf("malformed: %v", err)
		}
		line, err := bson.MarshalExtJSON(stage, false, false)
		if err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	return lines
}

func TestSecure(t *testing.T) {
	t.Parallel()
	const (
		scope   = `{"$match":{"owner":"me in posts"}}`
		removal = `{"$unset":["_password","_sessions"]}`
		limit   = `{"$limit":1000}`
	)
	for name, row := range map[string]struct {
		pipeline string
		want     []string
	}{
		"an empty pipeline": {`[]`, []string{scope, removal, limit}},
		"a first match is joined with the scope": {
			`[{"$match": {"$text": {"$search": "x"}}}, {"$count": "n"}]`,
			[]string{`{"$match":{"$and":[{"owner":"me in posts"},{"$text":{"$search":"x"}}]}}`, removal, `{"$count":"n"}`, limit},
		},
		"an empty match is the scope": {`[{"$match": {}}]`, []string{scope, removal, limit}},
		"fields are removed before the first stage that computes": {
			`[{"$sort": {"a": 1}}, {"$match": {"b": 1}}, {"$skip": 1}, {"$limit": 5}, {"$sample": {"size": 2}}, {"$group": {"_id": null, "all": {"$push": "$$ROOT"}}}, {"$match": {"c": 1}}]`,
			[]string{
				scope, `{"$sort":{"a":1}}`, `{"$match":{"b":1}}`, `{"$skip":1}`, `{"$limit":5}`, `{"$sample":{"size":2}}`, removal,
				`{"$group":{"_id":null,"all":{"$push":"$$ROOT"}}}`, `{"$match":{"c":1}}`, limit,
			},
		},
		"a lookup by fields is given a pipeline": {
			`[{"$lookup": {"from": "users", "localField": "a", "foreignField": "b", "as": "c"}}]`,
			[]string{
				scope, removal,
				`{"$lookup":{"from":"users","localField":"a","foreignField":"b","as":"c","pipeline":[{"$match":{"owner":"me in users"}},` + removal + `]}}`, limit,
			},
		},
		"a lookup with a pipeline has it secured": {
			`[{"$lookup": {"from": "users", "pipeline": [{"$match": {"d": 1}}, {"$replaceWith": "$$ROOT"}], "as": "c"}}]`,
			[]string{
				scope, removal,
				`{"$lookup":{"from":"users","as":"c","pipeline":[{"$match":{"$and":[{"owner":"me in users"},{"d":1}]}},` + removal + `,{"$replaceWith":"$$ROOT"}]}}`, limit,
			},
		},
		"a union by name becomes one with a pipeline": {
			`[{"$unionWith": "users"}]`,
			[]string{scope, removal, `{"$unionWith":{"coll":"users","pipeline":[{"$match":{"owner":"me in users"}},` + removal + `]}}`, limit},
		},
		"unions in facets are secured, to any depth": {
			`[{"$facet": {"x": [{"$unionWith": {"coll": "a", "pipeline": [{"$unionWith": "b"}]}}], "y": [{"$limit": 1}]}}]`,
			[]string{
				scope, removal,
				`{"$facet":{"x":[{"$unionWith":{"coll":"a","pipeline":[{"$match":{"owner":"me in a"}},` + removal +
					`,{"$unionWith":{"coll":"b","pipeline":[{"$match":{"owner":"me in b"}},` + removal + `]}}]}}],"y":[{"$limit":1}]}}`, limit,
			},
		},
		"a graph is restricted, and cleaned after": {
			`[{"$graphLookup": {"from": "people", "startWith": "$a", "connectFromField": "b", "connectToField": "c", "as": "d.e"}}]`,
			[]string{
				scope, removal,
				`{"$graphLookup":{"from":"people","startWith":"$a","connectFromField":"b","connectToField":"c","as":"d.e","restrictSearchWithMatch":{"owner":"me in people"}}}`,
				`{"$unset":["d.e._password","d.e._sessions"]}`, limit,
			},
		},
		"a graph's own restriction is kept": {
			`[{"$graphLookup": {"from": "people", "restrictSearchWithMatch": {"x": 1}, "as": "d"}}]`,
			[]string{
				scope, removal,
				`{"$graphLookup":{"from":"people","as":"d","restrictSearchWithMatch":{"$and":[{"owner":"me in people"},{"x":1}]}}}`,
				`{"$unset":["d._password","d._sessions"]}`, limit,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := open().Secure(docs(t, row.pipeline), mongoquery.Guard{Collection: "posts", Scope: owned, Limit: 1000})
			expect(t, err, want{})
			if diff := cmp.Diff(row.want, extended(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecureWithNothingToGuardChangesNothing(t *testing.T) {
	t.Parallel()
	rules := open()
	rules.Hidden = nil
	stages := docs(t, `[{"$match": {"a": 1}}, {"$lookup": {"from": "b", "localField": "a", "foreignField": "b", "as": "c"}}, {"$lookup": {"from": "b", "as": "d", "pipeline": []}}, {"$facet": {"a": []}}]`)
	got, err := rules.Secure(stages, mongoquery.Guard{Collection: "posts"})
	expect(t, err, want{})
	if diff := cmp.Diff(extended(t, stages), extended(t, got)); diff != "" {
		t.Error(diff)
	}
}

func TestSecureChecksFirst(t *testing.T) {
	t.Parallel()
	_, err := open().Secure(docs(t, `[{"$out": "x"}]`), mongoquery.Guard{Collection: "posts"})
	expect(t, err, want{"pipeline[0].$out", mongoquery.CodeOperator})
}

func TestSecureFailsWithTheScope(t *testing.T) {
	t.Parallel()
	failure := errors.New("no scope")
	for _, pipeline := range []string{
		`[{"$lookup": {"from": "users", "as": "a"}}]`,
		`[{"$unionWith": "users"}]`,
		`[{"$graphLookup": {"from": "users", "as": "a"}}]`,
		`[{"$facet": {"a": [{"$unionWith": "users"}]}}]`,
	} {
		got, err := open().Secure(docs(t, pipeline), mongoquery.Guard{Collection: "posts", Scope: func(collection string) (bson.Raw, error) {
			if collection == "users" {
				return nil, failure
			}
			return nil, nil
		}})
		if !errors.Is(err, failure) || got != nil {
			t.Errorf("%s: got %v, %v", pipeline, got, err)
		}
	}
}

func TestJoinsSayEachThingOnce(t *testing.T) {
	t.Parallel()
	body := bson.D{{Key: "from", Value: "posts"}, {Key: "as", Value: "a"}, {Key: "from", Value: "users"}}
	err := open().Pipeline([]bson.Raw{raw(t, bson.D{{Key: "$lookup", Value: body}})})
	expect(t, err, want{"pipeline[0].$lookup.from", mongoquery.CodeInvalid})
}

func TestAnd(t *testing.T) {
	t.Parallel()
	a, b, empty := doc(t, `{"a": 1}`), doc(t, `{"b": 1}`), doc(t, `{}`)
	for name, row := range map[string]struct{ got, want bson.Raw }{
		"both":         {mongoquery.And(a, b), doc(t, `{"$and": [{"a": 1}, {"b": 1}]}`)},
		"empty first":  {mongoquery.And(empty, b), b},
		"empty second": {mongoquery.And(a, empty), a},
		"none":         {mongoquery.And(nil, nil), nil},
		"nil first":    {mongoquery.And(nil, b), b},
	} {
		if string(row.got) != string(row.want) {
			t.Errorf("%s: got %s, want %s", name, row.got, row.want)
		}
	}
}
