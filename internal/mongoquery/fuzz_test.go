package mongoquery_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

// FuzzRules gives anything to every check. Whatever passes is walked again, by a reader that shares nothing with the
// parser but the lists, in the driver's own types: no name that begins with a dollar sign is off the list of its place,
// and no hidden field is reachable. The input is Extended JSON, or BSON where it is not that, or, with grow, a list of
// choices out of a vocabulary.
func FuzzRules(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed), false)
	}
	for i := range 64 {
		choices := make([]byte, 48)
		random := rand.New(rand.NewPCG(1, uint64(i)))
		for j := range choices {
			choices[j] = byte(random.UintN(256))
		}
		f.Add(choices, true)
	}
	lists := make(map[string][]string)
	for _, section := range []string{"Filters", "Projections and sorts", "Updates", "Stages", "Accumulators", "Expressions"} {
		lists[section] = published(f, section)
	}
	f.Fuzz(func(t *testing.T, data []byte, grow bool) {
		raw := parsed(data)
		if grow {
			raw = grown(t, data)
		}
		reread(t, lists, raw)
	})
}

func reread(t *testing.T, lists map[string][]string, raw bson.Raw) {
	t.Helper()
	w, rules := walker{t, lists}, open()
	if rules.Filter(raw) == nil {
		w.filter(fields(t, raw), true)
	}
	if rules.Projection(raw) == nil {
		w.projection(fields(t, raw))
	}
	if rules.Sort(raw) == nil {
		w.sort(fields(t, raw))
	}
	if rules.Document(raw) == nil {
		w.document(fields(t, raw))
	}
	if update, err := rules.Update(raw); err == nil {
		w.update(fields(t, update))
	}
	stages := []bson.Raw{raw}
	if list, ok := raw.Lookup("pipeline").ArrayOK(); ok {
		stages = elements(list)
	}
	if rules.Pipeline(stages) == nil {
		for _, stage := range stages {
			w.stage(fields(t, stage))
		}
		w.secured(rules, stages)
	}
}

var seeds = []string{
	`{"a": {"$in": [1, {"$where": "1"}]}}`,
	`{"$or": [{"_password": {"$gt": "a"}}, {"a": {"$elemMatch": {"b": {"$not": {"$regex": "x", "$options": "i"}}}}}]}`,
	`{"$expr": {"$gt": [{"$getField": {"field": "_password", "input": "$$ROOT"}}, "$$ROOT._password"]}}`,
	`{"$set": {"a.b": {"c": 1}}, "$rename": {"a": "_id"}, "$push": {"a": {"$each": [{"$where": 1}], "$sort": {"a": 1}}}}`,
	`{"$pull": {"a": {"b": {"$gte": 1}}}, "$currentDate": {"a": {"$type": "date"}}, "$bit": {"a": {"or": 1}}, "$addToSet": {"a": {"$each": []}}}`,
	`{"a": 1, "b": {"$slice": [1, 2]}, "c": {"$elemMatch": {"d": 1}}, "e": {"$meta": "textScore"}}`,
	`{"pipeline": [{"$match": {"$text": {"$search": "x"}}}, {"$facet": {"a": [{"$lookup": {"from": "x", "as": "y", "pipeline": [{"$out": "z"}]}}]}}]}`,
	`{"pipeline": [{"$lookup": {"from": "a", "localField": "b", "foreignField": "c", "let": {"x": "$$ROOT"}, "as": "d"}}, {"$unionWith": "e"}]}`,
	`{"pipeline": [{"$graphLookup": {"from": "a", "startWith": "$b", "connectFromField": "c", "connectToField": "d", "as": "e", "restrictSearchWithMatch": {"f": 1}}}]}`,
	`{"pipeline": [{"$sort": {"a": 1}}, {"$group": {"_id": "$a", "n": {"$sum": 1}, "all": {"$push": "$$ROOT"}}}, {"$project": {"x": {"$let": {"vars": {"y": "$$ROOT"}, "in": "$$y.z"}}}}]}`,
	`{"pipeline": [{"$project": {"a": {"$cond": {"if": {"$literal": "$_password"}, "then": {"$function": {}}, "else": 1}}}}]}`,
	`{"pipeline": [{"$replaceRoot": {"newRoot": "$$ROOT"}}, {"$unwind": {"path": "$a"}}, {"$bucket": {"groupBy": "$a", "boundaries": [1, 2]}}, {"$sample": {"size": 1}}]}`,
	`{"l": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 0]]]}}}}`,
	`{"a": {"$code": "x"}, "b": {"$regularExpression": {"pattern": "x", "options": "i"}}}`,
	"\x0f\x00\x00\x00\x05a\x00\xff\xff\xff\x7f\x00xy\x00",
	"\x10\x00\x00\x00\x04a\x00\x08\x00\x00\x00\x0ax\x00\x00\x00",
}

func parsed(data []byte) bson.Raw {
	var d bson.D
	if bson.UnmarshalExtJSON(data, false, &d) == nil {
		if raw, err := bson.Marshal(d); err == nil {
			return raw
		}
	}
	return data
}

// grown makes a document of choices, so that the fuzzer need not find out by itself what a query looks like.
func grown(t *testing.T, choices []byte) bson.Raw {
	t.Helper()
	g := grower{choices}
	return raw(t, g.document(6))
}

type grower struct{ choices []byte }

func (g *grower) choose(n int) int {
	if len(g.choices) == 0 {
		return 0
	}
	choice := int(g.choices[0])
	g.choices = g.choices[1:]
	return choice % n
}

func (g *grower) document(depth int) bson.D {
	d := bson.D{}
	for range 1 + g.choose(6)/4 {
		d = append(d, bson.E{Key: vocabulary[g.choose(len(vocabulary))], Value: g.value(depth - 1)})
	}
	return d
}

func (g *grower) value(depth int) any {
	kind := g.choose(8)
	switch {
	case kind < 4 && depth > 0:
		return g.document(depth)
	case kind < 5 && depth > 0:
		return bson.A{g.value(depth - 1), g.value(depth - 1)}
	case kind < 7:
		return vocabulary[g.choose(len(vocabulary))]
	}
	return int32(g.choose(3) - 1)
}

// vocabulary has at most 256 words.
var vocabulary = strings.Fields(`a b.c _id _password _sessions.x _key a._b $a $_password $$ROOT $$ROOT.a $$ROOT._password $$CURRENT
	$$CURRENT._sessions $$x $$x._password $$this $$NOW $$REMOVE $$USER_ROLES $$CLUSTER_TIME posts _USERS textScore x a.$ a.$[]
	$and $or $nor $not $eq $ne $gt $in $nin $exists $type $all $elemMatch $size $mod $regex $options $expr $text $search
	$geoWithin $geometry $near $box $where $jsonSchema $comment $set $unset $inc $rename $push $each $slice $sort $position
	$addToSet $pull $pullAll $pop $bit $currentDate $setOnInsert $match $project $addFields $group $limit $skip $unwind $count
	$sortByCount $bucket $bucketAuto $replaceRoot $replaceWith $facet $sample $lookup $unionWith $graphLookup $out $merge
	$function $accumulator $meta $literal $cond $switch $let $map $filter $reduce $getField $setField $unsetField $sortArray
	$regexMatch $concat $add $objectToArray $mergeObjects $first $sum $max $top $firstN $dateToString $redact $documents
	pipeline from coll as let vars in input cond if then else branches case default field value newRoot path groupBy boundaries
	output size localField foreignField startWith connectFromField connectToField restrictSearchWithMatch maxDepth depthField
	sortBy n regex options type coordinates and date`)

func elements(array bson.Raw) []bson.Raw {
	values, err := array.Values()
	if err != nil {
		return nil
	}
	var out []bson.Raw
	for _, v := range values {
		if d, ok := v.DocumentOK(); ok {
			out = append(out, d)
		}
	}
	return out
}
