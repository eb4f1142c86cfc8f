package mongoquery_test

import (
	"testing"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

func TestFilterAllows(t *testing.T) {
	t.Parallel()
	for name, filter := range map[string]string{
		"nothing":                `{}`,
		"equality":               `{"a": 1, "b.c": "x", "d": null, "e": {"$oid": "64b64c8f9d1f2e3a4b5c6d7e"}}`,
		"equality of a nested":   `{"a": {"b": {"c": [1, {"d": 2}]}}}`,
		"an empty nested":        `{"a": {}}`,
		"our own fields":         `{"_id": "x", "_inserted": {"$gt": {"$date": "2024-01-01T00:00:00Z"}}, "_version": 3, "a._b": 1}`,
		"comparisons":            `{"a": {"$eq": 1, "$ne": {"b": 1}, "$gt": 1, "$gte": 1, "$lt": 1, "$lte": 1}}`,
		"sets":                   `{"a": {"$in": [1, "x", {"b": 1}, {"$regularExpression": {"pattern": "^x", "options": "i"}}], "$nin": []}}`,
		"logic":                  `{"$and": [{"$or": [{"a": 1}, {"b": 2}]}, {"$nor": [{"c": 1}]}]}`,
		"not":                    `{"a": {"$not": {"$gt": 1, "$not": {"$lt": 5}}}, "b": {"$not": {"$regularExpression": {"pattern": "x", "options": ""}}}}`,
		"arrays":                 `{"a": {"$all": [1, 2], "$size": 2, "$elemMatch": {"$gt": 1, "$lt": 9}}}`,
		"elemMatch of fields":    `{"a": {"$elemMatch": {"b": 1, "_password": 2, "$or": [{"c": 1}, {"d": {"$gt": 1}}]}}}`,
		"all of elemMatch":       `{"a": {"$all": [{"$elemMatch": {"b": 1}}, {"$elemMatch": {"$gt": 1}}]}}`,
		"presence and type":      `{"a": {"$exists": true}, "b": {"$exists": 0}, "c": {"$type": "string"}, "d": {"$type": ["int", 2]}}`,
		"modulus":                `{"a": {"$mod": [4, 0]}}`,
		"regular expressions":    `{"a": {"$regex": "^x", "$options": "ims"}, "b": {"$options": "i", "$regex": "x"}}`,
		"expression":             `{"$expr": {"$gt": ["$a", {"$multiply": ["$$ROOT.b", 2]}]}}`,
		"text":                   `{"$text": {"$search": "tea", "$language": "en", "$caseSensitive": true, "$diacriticSensitive": false}}`,
		"within":                 `{"a": {"$geoWithin": {"$box": [[0, 0], [1, 1]]}}, "b": {"$geoWithin": {"$centerSphere": [[0, 0], 0.1]}}}`,
		"intersecting":           `{"a": {"$geoIntersects": {"$geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 0]]]}}}}`,
		"a collection of shapes": `{"a": {"$geoIntersects": {"$geometry": {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}], "crs": {"type": "name", "properties": {"name": "x"}}}}}}`,
		"near":                   `{"a": {"$near": {"$geometry": {"type": "Point", "coordinates": [0, 0]}, "$maxDistance": 5}}, "b": {"$nearSphere": [0, 0], "$minDistance": 1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, open().Filter(doc(t, filter)), want{})
		})
	}
}

func TestFilterRefuses(t *testing.T) {
	t.Parallel()
	const (
		operator = mongoquery.CodeOperator
		reserved = mongoquery.CodeReserved
		invalid  = mongoquery.CodeInvalid
	)
	for name, row := range map[string]struct {
		filter string
		want   want
	}{
		"where":                        {`{"$where": "1"}`, want{"query.$where", operator}},
		"where in a branch":            {`{"$or": [{"a": 1}, {"$and": [{"$where": "1"}]}]}`, want{"query.$or[1].$and[0].$where", operator}},
		"where on a field":             {`{"a": {"$where": "1"}}`, want{"query.a.$where", operator}},
		"where beside an operator":     {`{"a": {"$gt": 1, "$where": "1"}}`, want{"query.a.$where", operator}},
		"where in eq":                  {`{"a": {"$eq": {"$where": "1"}}}`, want{"query.a.$eq.$where", operator}},
		"where in in":                  {`{"a": {"$in": [1, {"$where": "1"}]}}`, want{"query.a.$in[1].$where", operator}},
		"where in not":                 {`{"a": {"$not": {"$where": "1"}}}`, want{"query.a.$not.$where", operator}},
		"where in elemMatch":           {`{"a": {"$elemMatch": {"$where": "1"}}}`, want{"query.a.$elemMatch.$where", operator}},
		"where in a literal":           {`{"a": {"b": [{"$where": "1"}]}}`, want{"query.a.b[0].$where", operator}},
		"where in an array":            {`{"a": [[{"$where": "1"}]]}`, want{"query.a[0][0].$where", operator}},
		"where in a path":              {`{"a.$where": "1"}`, want{"query.a.$where", operator}},
		"where, escaped":               {`{"\u0024where": "1"}`, want{"query.$where", operator}},
		"where, nested in all":         {`{"a": {"$all": [{"$elemMatch": {"b": {"$where": "1"}}}]}}`, want{"query.a.$all[0].$elemMatch.b.$where", operator}},
		"schema":                       {`{"$jsonSchema": {}}`, want{"query.$jsonSchema", operator}},
		"comment":                      {`{"$comment": "x"}`, want{"query.$comment", operator}},
		"always false":                 {`{"$alwaysFalse": 1}`, want{"query.$alwaysFalse", operator}},
		"sample rate":                  {`{"$sampleRate": 0.5}`, want{"query.$sampleRate", operator}},
		"a reference":                  {`{"a": {"$ref": "b", "$id": 1}}`, want{"query.a.$ref", operator}},
		"field operator at the top":    {`{"$gt": 1}`, want{"query.$gt", operator}},
		"logic on a field":             {`{"a": {"$or": [{"b": 1}]}}`, want{"query.a.$or", operator}},
		"function in an expression":    {`{"$expr": {"$function": {"body": "", "args": [], "lang": "js"}}}`, want{"query.$expr.$function", operator}},
		"function, deeper":             {`{"$expr": {"$eq": [1, {"$cond": {"if": {"$function": {}}, "then": 1, "else": 2}}]}}`, want{"query.$expr.$eq[1].$cond.if.$function", operator}},
		"expression in elemMatch":      {`{"a": {"$elemMatch": {"b": 1, "$expr": true}}}`, want{"query.a.$elemMatch.$expr", operator}},
		"text in elemMatch":            {`{"a": {"$elemMatch": {"b": 1, "$text": {"$search": "x"}}}}`, want{"query.a.$elemMatch.$text", operator}},
		"meta":                         {`{"a": {"$meta": "textScore"}}`, want{"query.a.$meta", operator}},
		"unknown in text":              {`{"$text": {"$search": "x", "$where": 1}}`, want{"query.$text.$where", operator}},
		"unknown in near":              {`{"a": {"$near": {"$where": 1}}}`, want{"query.a.$near.$where", operator}},
		"hidden":                       {`{"_password": "x"}`, want{"query._password", reserved}},
		"hidden, dotted":               {`{"_sessions.a.token": {"$gt": ""}}`, want{"query._sessions.a.token", reserved}},
		"hidden in a branch":           {`{"$nor": [{"_password": {"$regex": "^a"}}]}`, want{"query.$nor[0]._password", reserved}},
		"hidden in an expression":      {`{"$expr": {"$gt": ["$_password", "a"]}}`, want{"query.$expr.$gt[0].$_password", reserved}},
		"hidden through the root":      {`{"$expr": {"$gt": ["$$ROOT._password", "a"]}}`, want{"query.$expr.$gt[0].$$ROOT._password", reserved}},
		"hidden through current":       {`{"$expr": "$$CURRENT._sessions.a"}`, want{"query.$expr.$$CURRENT._sessions.a", reserved}},
		"the whole root":               {`{"$expr": {"$gt": [{"$objectToArray": "$$ROOT"}, 1]}}`, want{"query.$expr.$gt[0].$objectToArray.$$ROOT", reserved}},
		"the whole root by let":        {`{"$expr": {"$let": {"vars": {"x": "$$CURRENT"}, "in": "$$x.a"}}}`, want{"query.$expr.$let.vars.x.$$CURRENT", reserved}},
		"hidden by getField":           {`{"$expr": {"$getField": "_password"}}`, want{"query.$expr.$getField._password", reserved}},
		"hidden by getField, literal":  {`{"$expr": {"$getField": {"$literal": "_password"}}}`, want{"query.$expr.$getField.$literal._password", reserved}},
		"hidden by getField, computed": {`{"$expr": {"$getField": {"field": {"$concat": ["_pass", "word"]}, "input": "$a"}}}`, want{"query.$expr.$getField.field", invalid}},
		"hidden after a variable":      {`{"$expr": {"$let": {"vars": {"x": "$a"}, "in": "$$x._password"}}}`, want{"query.$expr.$let.in.$$x._password", reserved}},
		"a variable named current":     {`{"$expr": {"$let": {"vars": {"CURRENT": "$a"}, "in": 1}}}`, want{"query.$expr.$let.vars.CURRENT", invalid}},
		"cluster time":                 {`{"$expr": {"$gt": ["$$CLUSTER_TIME", 1]}}`, want{"query.$expr.$gt[0].$$CLUSTER_TIME", operator}},
		"user roles":                   {`{"$expr": "$$USER_ROLES"}`, want{"query.$expr.$$USER_ROLES", operator}},
		"or of an object":              {`{"$or": {"_password": 1}}`, want{"query.$or", invalid}},
		"or of an array-like":          {`{"$or": {"0": {"a": 1}, "length": 1}}`, want{"query.$or", invalid}},
		"or of nothing":                {`{"$or": []}`, want{"query.$or", invalid}},
		"or of scalars":                {`{"$or": [1]}`, want{"query.$or[0]", invalid}},
		"or of arrays":                 {`{"$or": [[{"a": 1}]]}`, want{"query.$or[0]", invalid}},
		"mixed names":                  {`{"a": {"$gt": 1, "b": 2}}`, want{"query.a.b", invalid}},
		"mixed names, other order":     {`{"a": {"b": 2, "$gt": 1}}`, want{"query.a.$gt", invalid}},
		"mixed names in elemMatch":     {`{"a": {"$elemMatch": {"$gt": 1, "b": 2}}}`, want{"query.a.$elemMatch.b", invalid}},
		"mixed elemMatch in all":       {`{"a": {"$all": [{"$elemMatch": {"b": 1}}, 2]}}`, want{"query.a.$all[1]", invalid}},
		"in of an object":              {`{"a": {"$in": {"0": 1}}}`, want{"query.a.$in", invalid}},
		"all of a scalar":              {`{"a": {"$all": 1}}`, want{"query.a.$all", invalid}},
		"not of a scalar":              {`{"a": {"$not": 1}}`, want{"query.a.$not", invalid}},
		"not of a literal":             {`{"a": {"$not": {"b": 1}}}`, want{"query.a.$not", invalid}},
		"not of nothing":               {`{"a": {"$not": {}}}`, want{"query.a.$not", invalid}},
		"elemMatch of an array":        {`{"a": {"$elemMatch": [1]}}`, want{"query.a.$elemMatch", invalid}},
		"exists of a string":           {`{"a": {"$exists": "yes"}}`, want{"query.a.$exists", invalid}},
		"type of an object":            {`{"a": {"$type": {"x": 1}}}`, want{"query.a.$type", invalid}},
		"size of a fraction":           {`{"a": {"$size": 1.5}}`, want{"query.a.$size", invalid}},
		"size below zero":              {`{"a": {"$size": -1}}`, want{"query.a.$size", invalid}},
		"modulus of one":               {`{"a": {"$mod": [4]}}`, want{"query.a.$mod", invalid}},
		"modulus of strings":           {`{"a": {"$mod": ["4", 0]}}`, want{"query.a.$mod", invalid}},
		"regex of a number":            {`{"a": {"$regex": 1}}`, want{"query.a.$regex", invalid}},
		"regex with a NUL":             {`{"a": {"$regex": "x\u0000y"}}`, want{"query.a.$regex", invalid}},
		"options alone":                {`{"a": {"$options": "i"}}`, want{"query.a.$options", invalid}},
		"options beyond ims":           {`{"a": {"$regex": "x", "$options": "ix"}}`, want{"query.a.$options", invalid}},
		"options twice":                {`{"a": {"$regex": "x", "$options": "ii"}}`, want{"query.a.$options", invalid}},
		"options of a leaf":            {`{"a": {"$regularExpression": {"pattern": "x", "options": "x"}}}`, want{"query.a", invalid}},
		"an empty name":                {`{"": 1}`, want{`query.""`, invalid}},
		"an empty segment":             {`{"a..b": 1}`, want{"query.a..b", invalid}},
		"a dot at the end":             {`{"a.": 1}`, want{"query.a.", invalid}},
		"a NUL in a path":              {`{"$expr": "$a\u0000b"}`, want{"query.$expr.$a\uFFFDb", invalid}},
		"a lonely dollar":              {`{"$expr": "$"}`, want{"query.$expr.$", invalid}},
		"a lonely distance":            {`{"a": {"$maxDistance": 1}}`, want{"query.a.$maxDistance", invalid}},
		"strings as coordinates":       {`{"a": {"$geoWithin": {"$box": ["a"]}}}`, want{"query.a.$geoWithin.$box[0]", invalid}},
		"unknown in geometry":          {`{"a": {"$geoIntersects": {"$geometry": {"type": "Point", "x": 1}}}}`, want{"query.a.$geoIntersects.$geometry.x", invalid}},
		"unknown in geoWithin":         {`{"a": {"$geoWithin": {"$where": 1}}}`, want{"query.a.$geoWithin.$where", operator}},
		"unknown in geoIntersects":     {`{"a": {"$geoIntersects": {"$box": []}}}`, want{"query.a.$geoIntersects.$box", operator}},
		"near nothing":                 {`{"a": {"$near": {}}}`, want{"query.a.$near", invalid}},
		"a distance of text":           {`{"a": {"$near": {"$maxDistance": "1"}}}`, want{"query.a.$near.$maxDistance", invalid}},
		"geometry without type":        {`{"a": {"$near": {"$geometry": {"coordinates": []}}}}`, want{"query.a.$near.$geometry", invalid}},
		"geometry of a strange type":   {`{"a": {"$near": {"$geometry": {"type": 1}}}}`, want{"query.a.$near.$geometry.type", invalid}},
		"geometries of an object":      {`{"a": {"$near": {"$geometry": {"type": "x", "geometries": {}}}}}`, want{"query.a.$near.$geometry.geometries", invalid}},
		"geometries of strings":        {`{"a": {"$near": {"$geometry": {"type": "x", "geometries": ["x"]}}}}`, want{"query.a.$near.$geometry.geometries[0]", invalid}},
		"an operator as crs":           {`{"a": {"$near": {"$geometry": {"type": "x", "crs": {"$where": 1}}}}}`, want{"query.a.$near.$geometry.crs.$where", operator}},
		"mixed names in not":           {`{"a": {"$not": {"$gt": 1, "b": 2}}}`, want{"query.a.$not.b", invalid}},
		"an empty variable path":       {`{"$expr": "$$x..a"}`, want{"query.$expr.$$x..a", invalid}},
		"a path of now":                {`{"$expr": "$$NOW.a"}`, want{"query.$expr.$$NOW.a", operator}},
		"a lonely variable":            {`{"$expr": "$$"}`, want{"query.$expr.$$", operator}},
		"text of a number":             {`{"$text": {"$search": 1}}`, want{"query.$text.$search", invalid}},
		"text with a flag of text":     {`{"$text": {"$search": "x", "$caseSensitive": "yes"}}`, want{"query.$text.$caseSensitive", invalid}},
		"text without search":          {`{"$text": {"$language": "en"}}`, want{"query.$text", invalid}},
		"two operators in one":         {`{"$expr": {"$gt": [1, 2], "$lt": [1, 2]}}`, want{"query.$expr", invalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, open().Filter(doc(t, row.filter)), row.want)
		})
	}
}
