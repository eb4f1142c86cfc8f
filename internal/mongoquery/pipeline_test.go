package mongoquery_test

import (
	"errors"
	"testing"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

func TestPipelineAllows(t *testing.T) {
	t.Parallel()
	for name, pipeline := range map[string]string{
		"nothing":    `[]`,
		"match":      `[{"$match": {"a": {"$gt": 1}, "$expr": {"$eq": ["$a", "$b"]}, "loc": {"$geoWithin": {"$box": [[0, 0], [1, 1]]}}}}]`,
		"text":       `[{"$match": {"$text": {"$search": "x"}}}, {"$sort": {"s": {"$meta": "textScore"}}}, {"$project": {"s": {"$meta": "textScore"}}}]`,
		"project":    `[{"$project": {"a": 1, "b": "$c.d", "e": {"f": 1, "g.h": {"$add": [1, "$i"]}}, "j": ["$k", 1], "_id": 0}}]`,
		"add fields": `[{"$addFields": {"a.b": {"$concat": ["x", "$y"]}}}, {"$set": {"z": {"w": {"$literal": "$data"}}}}, {"$unset": ["a", "b.c"]}, {"$unset": "d"}]`,
		"group":      `[{"$group": {"_id": {"y": {"$year": "$at"}, "who": "$who"}, "n": {"$sum": 1}, "all": {"$push": "$$ROOT"}, "c": {"$count": {}}, "t": {"$top": {"sortBy": {"a": -1}, "output": ["$b"]}}, "f": {"$firstN": {"n": 2, "input": "$a"}}}}]`,
		"order":      `[{"$sort": {"a": -1}}, {"$skip": 0}, {"$limit": 5}, {"$sample": {"size": 3}}]`,
		"unwind":     `[{"$unwind": "$a.b"}, {"$unwind": {"path": "$c", "includeArrayIndex": "i", "preserveNullAndEmptyArrays": true}}]`,
		"count":      `[{"$sortByCount": "$a"}, {"$count": "n"}]`,
		"buckets":    `[{"$bucket": {"groupBy": "$a", "boundaries": [0, 10], "default": "other", "output": {"n": {"$sum": 1}}}}, {"$bucketAuto": {"groupBy": "$a", "buckets": 4, "granularity": "R5"}}]`,
		"roots":      `[{"$replaceRoot": {"newRoot": {"$mergeObjects": ["$$ROOT", {"a": 1}]}}}, {"$replaceWith": "$a"}]`,
		"facet":      `[{"$facet": {"a": [{"$match": {"x": 1}}, {"$count": "n"}], "b": []}}]`,
		"facets":     `[{"$facet": {"a": []}}, {"$facet": {"b": []}}]`,
		"the root after an expression in a match": `[{"$match": {"$expr": true}}, {"$replaceWith": "$$ROOT"}]`,
		"lookup": `[{"$lookup": {"from": "orders", "localField": "_id", "foreignField": "user", "as": "orders"}}, {"$lookup": {"from": "orders", "let": {"u": "$_id"}, "pipeline": [{"$match": {"$expr": {"$eq": ["$user", "$$u"]}}}], "as": "more.orders"}}]`,
		"union":  `[{"$unionWith": "more"}, {"$unionWith": {"coll": "more", "pipeline": [{"$unionWith": {"coll": "yet"}}]}}]`,
		"graph":  `[{"$graphLookup": {"from": "people", "startWith": "$boss", "connectFromField": "boss", "connectToField": "_id", "as": "chain", "maxDepth": 3, "depthField": "d", "restrictSearchWithMatch": {"active": true}}}]`,
		"expressions": `[{"$project": {
			"a": {"$cond": [{"$gt": ["$x", 1]}, "$y", "$$REMOVE"]}, "b": {"$cond": {"if": true, "then": 1, "else": 2}},
			"c": {"$switch": {"branches": [{"case": {"$eq": ["$x", 1]}, "then": "one"}], "default": null}},
			"d": {"$let": {"vars": {"now": "$$NOW"}, "in": {"$dateDiff": {"startDate": "$at", "endDate": "$$now", "unit": "day"}}}},
			"e": {"$map": {"input": "$list", "as": "x", "in": {"$multiply": ["$$x.n", 2]}}},
			"f": {"$filter": {"input": "$list", "cond": {"$gt": ["$$this", 1]}, "limit": 2}},
			"g": {"$reduce": {"input": "$list", "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}},
			"h": {"$zip": {"inputs": ["$a", "$b"]}}, "i": {"$sortArray": {"input": "$list", "sortBy": {"a.b": 1}}},
			"j": {"$getField": "x.y"}, "k": {"$getField": {"field": {"$literal": "$price"}, "input": "$$ROOT"}}, "l": {"$setField": {"field": "a", "input": "$$ROOT", "value": 1}},
			"m": {"$regexMatch": {"input": "$s", "regex": "^x", "options": "i"}}, "n": {"$year": {"date": "$at", "timezone": "UTC"}},
			"o": {"$dateToString": {"date": "$at", "format": "%Y"}}, "p": {"$objectToArray": "$$ROOT"}, "q": {"$trim": {"input": "$s"}}}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, open().Pipeline(docs(t, pipeline)), want{})
		})
	}
}

func TestPipelineRefuses(t *testing.T) {
	t.Parallel()
	const (
		operator   = mongoquery.CodeOperator
		reserved   = mongoquery.CodeReserved
		invalid    = mongoquery.CodeInvalid
		collection = mongoquery.CodeCollection
	)
	for name, row := range map[string]struct {
		pipeline string
		want     want
	}{
		"out":                          {`[{"$match": {}}, {"$out": "x"}]`, want{"pipeline[1].$out", operator}},
		"merge":                        {`[{"$merge": {"into": "x"}}]`, want{"pipeline[0].$merge", operator}},
		"out in facet in lookup":       {`[{"$lookup": {"from": "a", "as": "b", "pipeline": [{"$facet": {"c": [{"$out": "x"}]}}]}}]`, want{"pipeline[0].$lookup.pipeline[0].$facet.c[0].$out", operator}},
		"out in union in union":        {`[{"$unionWith": {"coll": "a", "pipeline": [{"$unionWith": {"coll": "b", "pipeline": [{"$out": "x"}]}}]}}]`, want{"pipeline[0].$unionWith.pipeline[0].$unionWith.pipeline[0].$out", operator}},
		"where in match":               {`[{"$match": {"$or": [{"$where": "1"}]}}]`, want{"pipeline[0].$match.$or[0].$where", operator}},
		"where in a facet's lookup":    {`[{"$match": {}}, {"$match": {}}, {"$facet": {"a": [{"$lookup": {"from": "x", "as": "y", "pipeline": [{"$match": {"$where": "1"}}]}}]}}]`, want{"pipeline[2].$facet.a[0].$lookup.pipeline[0].$match.$where", operator}},
		"where in a graph":             {`[{"$graphLookup": {"from": "a", "restrictSearchWithMatch": {"$where": "1"}}}]`, want{"pipeline[0].$graphLookup.restrictSearchWithMatch.$where", operator}},
		"near":                         {`[{"$match": {"a": {"$near": [0, 0]}}}]`, want{"pipeline[0].$match.a.$near", operator}},
		"function":                     {`[{"$project": {"a": {"$function": {"body": "x"}}}}]`, want{"pipeline[0].$project.a.$function", operator}},
		"function, nested":             {`[{"$addFields": {"a": {"b": [{"$map": {"input": [], "in": {"$function": {}}}}]}}}]`, want{"pipeline[0].$addFields.a.b[0].$map.in.$function", operator}},
		"function in a branch":         {`[{"$project": {"a": {"$switch": {"branches": [{"case": {"$function": {}}, "then": 1}]}}}}]`, want{"pipeline[0].$project.a.$switch.branches[0].case.$function", operator}},
		"function in literal":          {`[{"$project": {"a": {"$literal": {"$function": {}}}}}]`, want{"pipeline[0].$project.a.$literal.$function", operator}},
		"function in a key":            {`[{"$group": {"_id": {"a": {"$function": {}}}}}]`, want{"pipeline[0].$group._id.a.$function", operator}},
		"function in boundaries":       {`[{"$bucket": {"groupBy": "$a", "boundaries": [{"$function": {}}]}}]`, want{"pipeline[0].$bucket.boundaries[0].$function", operator}},
		"function in let of lookup":    {`[{"$lookup": {"from": "a", "let": {"x": {"$function": {}}}, "as": "b"}}]`, want{"pipeline[0].$lookup.let.x.$function", operator}},
		"function at a graph's start":  {`[{"$graphLookup": {"from": "a", "startWith": {"$function": {}}}}]`, want{"pipeline[0].$graphLookup.startWith.$function", operator}},
		"accumulator":                  {`[{"$group": {"_id": null, "a": {"$accumulator": {}}}}]`, want{"pipeline[0].$group.a.$accumulator", operator}},
		"accumulator in a bucket":      {`[{"$bucket": {"groupBy": "$a", "boundaries": [1], "output": {"a": {"$accumulator": {}}}}}]`, want{"pipeline[0].$bucket.output.a.$accumulator", operator}},
		"an expression, accumulating":  {`[{"$group": {"_id": null, "a": {"$add": [1]}}}]`, want{"pipeline[0].$group.a.$add", operator}},
		"an accumulator, projected":    {`[{"$project": {"a": {"$push": "$b"}}}]`, want{"pipeline[0].$project.a.$push", operator}},
		"roles":                        {`[{"$project": {"a": "$$USER_ROLES"}}]`, want{"pipeline[0].$project.a.$$USER_ROLES", operator}},
		"search meta":                  {`[{"$project": {"a": "$$SEARCH_META.count"}}]`, want{"pipeline[0].$project.a.$$SEARCH_META.count", operator}},
		"an operator for a field":      {`[{"$project": {"$where": 1}}]`, want{"pipeline[0].$project.$where", operator}},
		"an operator in a path":        {`[{"$project": {"a": "$b.$c"}}]`, want{"pipeline[0].$project.a.$b.$c", operator}},
		"facet in facet":               {`[{"$facet": {"a": [{"$facet": {}}]}}]`, want{"pipeline[0].$facet.a[0].$facet", operator}},
		"facet in lookup in facet":     {`[{"$facet": {"a": [{"$lookup": {"from": "x", "pipeline": [{"$facet": {}}]}}]}}]`, want{"pipeline[0].$facet.a[0].$lookup.pipeline[0].$facet", operator}},
		"a hidden field, projected":    {`[{"$project": {"x": "$_password"}}]`, want{"pipeline[0].$project.x.$_password", reserved}},
		"a hidden field, included":     {`[{"$project": {"_password": 1}}]`, want{"pipeline[0].$project._password", reserved}},
		"a hidden field as a key":      {`[{"$group": {"_id": "$_password"}}]`, want{"pipeline[0].$group._id.$_password", reserved}},
		"a hidden field, pushed":       {`[{"$group": {"_id": 1, "a": {"$push": {"x": "$$ROOT._password"}}}}]`, want{"pipeline[0].$group.a.$push.x.$$ROOT._password", reserved}},
		"a hidden field, sorted":       {`[{"$sort": {"_sessions.a": 1}}]`, want{"pipeline[0].$sort._sessions.a", reserved}},
		"a hidden field, top":          {`[{"$group": {"_id": 1, "a": {"$top": {"sortBy": {"_password": 1}, "output": 1}}}}]`, want{"pipeline[0].$group.a.$top.sortBy._password", reserved}},
		"a hidden field, unwound":      {`[{"$unwind": "$_sessions"}]`, want{"pipeline[0].$unwind.$_sessions", reserved}},
		"a hidden field, counted":      {`[{"$sortByCount": "$_password"}]`, want{"pipeline[0].$sortByCount.$_password", reserved}},
		"a hidden field, local":        {`[{"$lookup": {"from": "a", "localField": "_password", "foreignField": "b", "as": "c"}}]`, want{"pipeline[0].$lookup.localField._password", reserved}},
		"a hidden field, foreign":      {`[{"$lookup": {"from": "a", "localField": "b", "foreignField": "_password", "as": "c"}}]`, want{"pipeline[0].$lookup.foreignField._password", reserved}},
		"a hidden field, let":          {`[{"$lookup": {"from": "a", "let": {"x": "$_password"}, "as": "c"}}]`, want{"pipeline[0].$lookup.let.x.$_password", reserved}},
		"a hidden field, connected":    {`[{"$graphLookup": {"from": "a", "connectFromField": "_password"}}]`, want{"pipeline[0].$graphLookup.connectFromField._password", reserved}},
		"a hidden field, restricted":   {`[{"$graphLookup": {"from": "a", "restrictSearchWithMatch": {"_password": {"$gt": ""}}}}]`, want{"pipeline[0].$graphLookup.restrictSearchWithMatch._password", reserved}},
		"a hidden field, got":          {`[{"$project": {"a": {"$getField": {"field": "_password", "input": "$$ROOT"}}}}]`, want{"pipeline[0].$project.a.$getField.field._password", reserved}},
		"a field that is computed":     {`[{"$project": {"a": {"$getField": {"$concat": ["_pass", "word"]}}}}]`, want{"pipeline[0].$project.a.$getField.$concat", operator}},
		"the root, matched":            {`[{"$match": {"$expr": {"$objectToArray": "$$ROOT"}}}]`, want{"pipeline[0].$match.$expr.$objectToArray.$$ROOT", reserved}},
		"the root, in a graph's match": {`[{"$graphLookup": {"from": "a", "restrictSearchWithMatch": {"$expr": "$$CURRENT"}}}]`, want{"pipeline[0].$graphLookup.restrictSearchWithMatch.$expr.$$CURRENT", reserved}},
		"a hidden name, created":       {`[{"$lookup": {"from": "a", "as": "_password"}}]`, want{"pipeline[0].$lookup.as._password", reserved}},
		"a reserved collection":        {`[{"$lookup": {"from": "_USERS", "as": "a"}}]`, want{"pipeline[0].$lookup.from", collection}},
		"a reserved union":             {`[{"$unionWith": "_USERS"}]`, want{"pipeline[0].$unionWith", collection}},
		"a reserved union, nested":     {`[{"$facet": {"a": [{"$unionWith": {"coll": "_USERS"}}]}}]`, want{"pipeline[0].$facet.a[0].$unionWith.coll", collection}},
		"a reserved graph":             {`[{"$graphLookup": {"from": "_USERS", "as": "a"}}]`, want{"pipeline[0].$graphLookup.from", collection}},
		"another database":             {`[{"$lookup": {"from": {"db": "admin", "coll": "x"}, "as": "a"}}]`, want{"pipeline[0].$lookup.from", invalid}},
		"another database, united":     {`[{"$unionWith": {"coll": {"db": "admin", "coll": "x"}}}]`, want{"pipeline[0].$unionWith.coll", invalid}},
		"no collection":                {`[{"$lookup": {"pipeline": [], "as": "a"}}]`, want{"pipeline[0].$lookup", invalid}},
		"no stage":                     {`[{}]`, want{"pipeline[0]", invalid}},
		"two stages in one":            {`[{"$match": {}, "$out": "x"}]`, want{"pipeline[0]", invalid}},
		"an unknown argument":          {`[{"$lookup": {"from": "a", "as": "b", "hint": "x"}}]`, want{"pipeline[0].$lookup.hint", invalid}},
		"an operator for an argument":  {`[{"$lookup": {"from": "a", "$out": "b"}}]`, want{"pipeline[0].$lookup.$out", operator}},
		"a pipeline that is an object": {`[{"$lookup": {"from": "a", "pipeline": {"0": {"$out": "x"}}, "as": "b"}}]`, want{"pipeline[0].$lookup.pipeline", invalid}},
		"a facet that is an object":    {`[{"$facet": {"a": {"$out": "x"}}}]`, want{"pipeline[0].$facet.a", invalid}},
		"a stage that is no document":  {`[{"$facet": {"a": ["$out"]}}]`, want{"pipeline[0].$facet.a[0]", invalid}},
		"a match that is a string":     {`[{"$match": "x"}]`, want{"pipeline[0].$match", invalid}},
		"an empty projection":          {`[{"$project": {}}]`, want{"pipeline[0].$project", invalid}},
		"an empty sort":                {`[{"$sort": {}}]`, want{"pipeline[0].$sort", invalid}},
		"a limit of none":              {`[{"$limit": 0}]`, want{"pipeline[0].$limit", invalid}},
		"a limit by expression":        {`[{"$limit": {"$add": [1, 2]}}]`, want{"pipeline[0].$limit", invalid}},
		"a negative skip":              {`[{"$skip": -1}]`, want{"pipeline[0].$skip", invalid}},
		"a sample of none":             {`[{"$sample": {"size": 0}}]`, want{"pipeline[0].$sample.size", invalid}},
		"a sample by another name":     {`[{"$sample": {"n": 1}}]`, want{"pipeline[0].$sample.n", invalid}},
		"a count with a dot":           {`[{"$count": "a.b"}]`, want{"pipeline[0].$count.a.b", invalid}},
		"an unwound name":              {`[{"$unwind": "a"}]`, want{"pipeline[0].$unwind", invalid}},
		"an unwound variable":          {`[{"$unwind": "$$ROOT"}]`, want{"pipeline[0].$unwind", invalid}},
		"a group without accumulator":  {`[{"$group": {"_id": 1, "a": "$b"}}]`, want{"pipeline[0].$group.a", invalid}},
		"two accumulators":             {`[{"$group": {"_id": 1, "a": {"$sum": 1, "$max": 1}}}]`, want{"pipeline[0].$group.a", invalid}},
		"a count with arguments":       {`[{"$group": {"_id": 1, "a": {"$count": {"x": 1}}}}]`, want{"pipeline[0].$group.a.$count", invalid}},
		"mixed names":                  {`[{"$project": {"a": {"b": 1, "$add": [1]}}}]`, want{"pipeline[0].$project.a.$add", invalid}},
		"a pattern out of the data":    {`[{"$project": {"a": {"$regexMatch": {"input": "$s", "regex": "$s"}}}}]`, want{"pipeline[0].$project.a.$regexMatch.regex", invalid}},
		"a pattern that is computed":   {`[{"$project": {"a": {"$regexFind": {"input": "$s", "regex": {"$concat": ["a", "b"]}}}}}]`, want{"pipeline[0].$project.a.$regexFind.regex", invalid}},
		"options out of the data":      {`[{"$project": {"a": {"$regexFindAll": {"input": "$s", "regex": "x", "options": "$o"}}}}]`, want{"pipeline[0].$project.a.$regexFindAll.options", invalid}},
		"a variable in capitals":       {`[{"$project": {"a": {"$map": {"input": [], "as": "ROOT", "in": 1}}}}]`, want{"pipeline[0].$project.a.$map.as", invalid}},
		"let of lookup in capitals":    {`[{"$lookup": {"from": "a", "let": {"CURRENT": 1}, "as": "b"}}]`, want{"pipeline[0].$lookup.let.CURRENT", invalid}},
		"unknown in switch":            {`[{"$project": {"a": {"$switch": {"x": 1}}}}]`, want{"pipeline[0].$project.a.$switch.x", invalid}},
		"branches of an object":        {`[{"$project": {"a": {"$switch": {"branches": {"0": 1}}}}}]`, want{"pipeline[0].$project.a.$switch.branches", invalid}},
		"unknown in let":               {`[{"$project": {"a": {"$let": {"x": 1}}}}]`, want{"pipeline[0].$project.a.$let.x", invalid}},
		"unknown in sortArray":         {`[{"$project": {"a": {"$sortArray": {"x": 1}}}}]`, want{"pipeline[0].$project.a.$sortArray.x", invalid}},
		"unknown in regexMatch":        {`[{"$project": {"a": {"$regexMatch": {"$where": 1}}}}]`, want{"pipeline[0].$project.a.$regexMatch.$where", operator}},
		"unknown in reduce":            {`[{"$project": {"a": {"$reduce": {"x": 1}}}}]`, want{"pipeline[0].$project.a.$reduce.x", invalid}},
		"arguments in an array":        {`[{"$project": {"a": {"$reduce": [1]}}}]`, want{"pipeline[0].$project.a.$reduce", invalid}},
		"options of a number":          {`[{"$project": {"a": {"$regexMatch": {"options": 1}}}}]`, want{"pipeline[0].$project.a.$regexMatch.options", invalid}},
		"a field out of the data":      {`[{"$project": {"a": {"$setField": {"field": "$b"}}}}]`, want{"pipeline[0].$project.a.$setField.field", invalid}},
		"a hidden name, in an object":  {`[{"$replaceWith": {"_password": 1}}]`, want{"pipeline[0].$replaceWith._password", reserved}},
		"a hidden name, for a facet":   {`[{"$facet": {"_sessions": []}}]`, want{"pipeline[0].$facet._sessions", reserved}},
		"unknown in union":             {`[{"$unionWith": {"coll": "a", "from": "b"}}]`, want{"pipeline[0].$unionWith.from", invalid}},
		"unknown in graph":             {`[{"$graphLookup": {"from": "a", "pipeline": []}}]`, want{"pipeline[0].$graphLookup.pipeline", invalid}},
		"unknown in unwind":            {`[{"$unwind": {"path": "$a", "x": 1}}]`, want{"pipeline[0].$unwind.x", invalid}},
		"a local field of a number":    {`[{"$lookup": {"from": "a", "localField": 1}}]`, want{"pipeline[0].$lookup.localField", invalid}},
		"as a number":                  {`[{"$lookup": {"from": "a", "as": 1}}]`, want{"pipeline[0].$lookup.as", invalid}},
		"as an operator":               {`[{"$lookup": {"from": "a", "as": "$b"}}]`, want{"pipeline[0].$lookup.as.$b", operator}},
		"a sample of two":              {`[{"$sample": {"size": 1, "n": 1}}]`, want{"pipeline[0].$sample", invalid}},
		"a name with a dot":            {`[{"$replaceWith": {"a.b": 1}}]`, want{"pipeline[0].$replaceWith.a.b", invalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, open().Pipeline(docs(t, row.pipeline)), row.want)
		})
	}
}

func TestCollectionErrorIsReachable(t *testing.T) {
	t.Parallel()
	err := open().Pipeline(docs(t, `[{"$unionWith": "_USERS"}]`))
	if !errors.Is(err, errReserved) {
		t.Errorf("%v does not wrap what Collections returned", err)
	}
}
