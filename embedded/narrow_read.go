package embedded

import "go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

// narrowRead does for reads what narrow does for writes: it returns a request that means the same and that the engine
// can answer by the index on _id. The request given comes back if there is nothing to save.
func narrowRead(cmd command, m message) message {
	switch cmd.name {
	case "aggregate":
		return narrowAggregate(cmd, m)
	case "find":
		return narrowFind(cmd, m)
	default:
		return m
	}
}

// narrowAggregate parts a $match of _id and more at the head of a pipeline in two.
func narrowAggregate(cmd command, m message) message {
	stages := cmd.list("pipeline")
	if len(stages) == 0 {
		return m
	}
	filter, _ := stages[0].Lookup("$match").DocumentOK()
	if _, _, ok := splitID(filter); !ok {
		return m
	}
	pipeline := append(matchStages(filter), stages[1:]...)
	b := bsoncore.NewDocumentBuilder()
	elements, _ := cmd.body.Elements()
	for _, e := range elements {
		if e.Key() == "pipeline" {
			b.AppendArray("pipeline", array(pipeline))
		} else {
			b.AppendValue(e.Key(), e.Value())
		}
	}
	return newRequest(m, b.Build())
}

// narrowFind makes a find by _id and more a pipeline, whose answer looks the same. A find with an option that is not
// known to mean the same there, or nothing, stays what it is.
func narrowFind(cmd command, m message) message {
	b := bsoncore.NewDocumentBuilder().AppendString("aggregate", cmd.coll)
	var pipeline, projection []bsoncore.Document
	elements, _ := cmd.body.Elements()
	for _, e := range elements[1:] {
		switch key, v := e.Key(), e.Value(); key {
		case "filter":
			filter, _ := v.DocumentOK()
			if _, _, ok := splitID(filter); !ok {
				return m
			}
			pipeline = matchStages(filter)
		case "projection":
			if !isSelection(v) {
				return m
			}
			if doc, _ := v.DocumentOK(); len(fields(v)) > 0 {
				projection = append(projection, stage("$project", doc))
			}
		case "allowDiskUse", "hint", "limit", "singleBatch", "sort": // nothing, where one document at most is found
		case "$clusterTime", "$db", "$readPreference", "comment", "lsid", "maxTimeMS", "readConcern":
			b.AppendValue(key, v)
		default:
			return m
		}
	}
	if pipeline == nil {
		return m
	}
	pipeline = append(pipeline, projection...)
	return newRequest(m, b.AppendArray("pipeline", array(pipeline)).AppendDocument("cursor", firstTwo()).Build())
}

// isSelection tells whether a projection only says which fields are wanted or which are not.
func isSelection(projection bsoncore.Value) bool {
	for _, e := range fields(projection) {
		if _, boolean := e.Value().BooleanOK(); !boolean && !e.Value().IsNumber() {
			return false
		}
	}
	return true
}

// matchStages lets the documents pass that match a filter, which are found by the index on _id if it can be used.
func matchStages(filter bsoncore.Document) []bsoncore.Document {
	id, rest, ok := splitID(filter)
	if !ok {
		return []bsoncore.Document{stage("$match", filter)}
	}
	return []bsoncore.Document{stage("$match", id), stage("$match", rest)}
}

func stage(name string, v bsoncore.Document) bsoncore.Document {
	return bsoncore.NewDocumentBuilder().AppendDocument(name, v).Build()
}

func array(docs []bsoncore.Document) bsoncore.Array {
	b := bsoncore.NewArrayBuilder()
	for _, doc := range docs {
		b.AppendDocument(doc)
	}
	return b.Build()
}

// firstTwo is the cursor of a pipeline that gives one document at most. With room for one only, the engine would keep
// it open for a second.
func firstTwo() bsoncore.Document {
	return bsoncore.NewDocumentBuilder().AppendInt32("batchSize", 2).Build()
}
