// Package extjson turns MongoDB Extended JSON v2 into BSON and BSON into
// relaxed Extended JSON, both in one pass over bytes and without Go values in
// between. What comes from outside is parsed strictly, what comes from the
// database is written whatever it is.
//
// # In
//
// [Parse] and [ParseArray] take a whole JSON text; [Document] and [Array] are
// fields of a struct that is decoded by github.com/go-json-experiment/json, so
// that a body such as {"document": {…}, "query": {…}} is read once:
//
//	var body struct {
//		Document extjson.Document `json:"document"`
//		Query    extjson.Document `json:"query"`
//	}
//
// An absent field is nil; null, like every other value that is not an object,
// is refused.
//
// The JSON has to obey RFC 7493: names are unique once unescaped, strings are
// valid UTF-8 without lone surrogates. A name without a NUL may be anything
// else; what names mean is for the caller to judge. Both the relaxed and the
// canonical form of these types are read:
//
//   - null, booleans, strings (which may contain NUL), documents, arrays;
//   - an integer literal is an int32 where it fits, else an int64, else an error:
//     it never loses digits. "-0" is the int32 0;
//   - a literal with a fraction or an exponent is a double: "1.0", "1e3", "-0.0";
//     one beyond the range of a double is an error;
//   - $numberInt, $numberLong, $numberDouble (with Infinity, -Infinity, NaN) and
//     $numberDecimal, each holding a string;
//   - $oid; $date with an RFC 3339 string, cut to the millisecond, or with a
//     $numberLong; $binary with base64 and subType; $uuid; $regularExpression
//     with pattern and options (ASCII letters, sorted as BSON wants them);
//     $timestamp; $minKey; $maxKey.
//
// Such a type wrapper stands alone in its object, and is a value, never the
// document itself. $code, $symbol, $dbPointer, $undefined and the forms of
// Extended JSON v1 are refused. $regex, $options, $type and every other name
// with a dollar are operators and come out as a plain document.
//
// # Out
//
// [AppendRelaxed] and [AppendValue] append to a slice. They know every BSON
// type, also those that Parse refuses, keep the order of fields, replace
// invalid UTF-8 by U+FFFD and fail on corrupt BSON only.
//
// # Round trips
//
// Parse of what AppendRelaxed wrote is the same BSON, byte for byte, for the
// types that Parse reads, with these exceptions. Most are inherent in relaxed
// Extended JSON:
//
//   - an int64 that fits an int32 comes back as an int32;
//   - a NaN loses its payload, and a decimal becomes canonical;
//   - invalid UTF-8 is gone, options of a regular expression are sorted, and
//     array elements have the keys 0, 1, 2 … whatever they had;
//   - a stored document whose only name is that of a type wrapper ({"$oid": …}) is
//     taken for one, or refused, as is one where such a name stands beside others;
//   - a stored document with one name twice, or one nested deeper than the bound,
//     is written but refused.
package extjson
