package mongoquery

// The limits. They are the same for every service, and part of the published contract.
const (
	// MaxFilterDepth is how deep documents and arrays may nest in a filter, projection or sort, the outermost included.
	MaxFilterDepth = 10
	// MaxPipelineDepth is how deep they may nest in a pipeline, the array of stages included.
	MaxPipelineDepth = 20
	// MaxDocumentDepth is how deep they may nest in a document or an update, of which the segments of a path
	// count as levels. It is the server's own limit.
	MaxDocumentDepth = 100
	// MaxConditions is how many conditions one filter, update or pipeline may have in all. An operator is one, a plain
	// equality is one, each regular expression inside `$in` or `$all` is one, each operator inside `$expr` is one.
	MaxConditions = 200
	// MaxOperators is how many expression operators a pipeline may have in all.
	MaxOperators = 1000
	// MaxElements is how many elements `$in`, `$nin`, `$all` and the arrays of geometry may have.
	MaxElements = 1000
	// MaxSortKeys is how many fields a sort may name.
	MaxSortKeys = 8
	// MaxStages is how many stages a pipeline may have, those of nested pipelines included.
	MaxStages = 20
	// MaxPattern is how many characters a regular expression may have.
	MaxPattern = 256
	// MaxSearch is how many characters the `$search` of `$text` may have.
	MaxSearch = 1024
	// MaxSegments is how many segments a dotted path may have.
	MaxSegments = 100
)
