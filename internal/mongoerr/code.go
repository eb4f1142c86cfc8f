package mongoerr

import (
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/mongo"
)

// class is what a server's error code means to us.
type class int

const (
	other        class = iota
	unsupported        // the server lacks it
	refused            // the client's mistake
	tooLarge           // a document is
	invalid            // by the collection's own validation
	tooExpensive       // in memory
	busy               // or going, or not the primary
	timedOut
)

// firstAssertion is where the codes without a name begin ("Location40234"), by
// the hundreds: each is one check of what a client sent, in an expression mostly.
const firstAssertion = 10000

// classOf tells the class of a code of MongoDB's error_codes.yml.
func classOf(code int) class {
	switch code {
	case 20, // IllegalOperation: transactions or change streams on a standalone server
		59,    // CommandNotFound
		115,   // CommandNotSupported
		27,    // IndexNotFound: $text without its index
		291,   // NoQueryExecutionPlans: $near without its index
		238,   // NotImplemented
		303,   // FeatureNotSupported
		40324: // an unknown aggregation stage
		return unsupported
	case 6, 7, 89, 9001, // hosts unreachable
		133, 134, 365, // no host to read from, no majority yet, TemporarilyUnavailable
		43, 175, 237, // a cursor or a plan was killed
		13388,                   // StaleConfig: a shard moved
		91, 11600, 11601, 11602, // shutting down, interrupted
		189, 10107, 13435, 13436: // stepping down, not primary
		return busy
	case 24, 50, 262: // LockTimeout, MaxTimeMSExpired, ExceededTimeLimit
		return timedOut
	case 10334, 17280, 17419, 17420:
		return tooLarge
	case 121: // DocumentValidationFailure
		return invalid
	case 146, 292: // ExceededMemoryLimit, QueryExceededMemoryLimitNoDiskUseAllowed
		return tooExpensive
	case 2, // BadValue
		9,   // FailedToParse
		14,  // TypeMismatch
		15,  // Overflow: nested too deep
		28,  // PathNotViable
		40,  // ConflictingUpdateOperators
		52,  // DollarPrefixedFieldName
		54,  // NotSingleValueField
		55,  // InvalidDBRef
		56,  // EmptyFieldName
		57,  // DottedFieldName
		66,  // ImmutableField
		166, // CommandNotSupportedOnView
		168, // InvalidPipelineOperator
		241: // ConversionFailure, of which the text quotes the value
		return refused
	}
	if code >= firstAssertion {
		return refused
	}
	return other
}

// is reports whether a server error has a code of the class.
func is(err error, c class) bool {
	return slices.ContainsFunc(codes(err), func(code int) bool { return classOf(code) == c })
}

// codes returns the codes of a server error.
func codes(err error) []int {
	if e, ok := errors.AsType[mongo.CommandError](err); ok {
		return []int{int(e.Code)}
	}
	var found []int
	var concern *mongo.WriteConcernError
	if e, ok := errors.AsType[mongo.WriteException](err); ok {
		concern = e.WriteConcernError
		for _, w := range e.WriteErrors {
			found = append(found, w.Code)
		}
	}
	if e, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		concern = e.WriteConcernError
		for _, w := range e.WriteErrors {
			found = append(found, w.Code)
		}
	}
	if concern != nil {
		found = append(found, concern.Code)
	}
	return found
}
