// Package storage keeps documents in MongoDB and offers them over HTTP: any
// collection, any shape, with queries, updates and aggregations that are checked
// before they reach the database.
//
//	docs, err := storage.New(db, nil)
//	err = app.Mount(e, docs) // at /service/storage/v1, behind the API key
//
// # Two doors
//
// Over HTTP everything is checked, because it comes from elsewhere. The methods of
// [Service] (Find, Insert, PatchOne …) are for the gateway's own code and take any
// filter, update or pipeline on any collection. Both set the same fields, raise the
// same versions and tell of the same events.
//
// Whoever holds the API key may read and write every document. To let signed-in
// users in, mount the handlers behind Authenticated and give [Options].Scope: it
// narrows each request to the caller's own documents.
//
// # Routes
//
//	GET    /:collection             a list: query keys sort limit skip count
//	GET    /:collection/:id         one document, with ETag: keys
//	POST   /:collection             {document} or {documents} → {ids}
//	PATCH  /:collection/:id         {document} → {matched, modified}, with ETag
//	PATCH  /:collection             {document, query} → {matched, modified}
//	DELETE /:collection/:id         → {deleted}
//	DELETE /:collection             {query} → {deleted}
//	POST   /:collection/aggregate   {pipeline} → what comes out
//
// Documents, queries, sorts and pipelines are MongoDB Extended JSON v2, in and out.
// Lists and aggregations are arrays, or a document a line with
// "Accept: application/x-ndjson": all that matches, in constant memory. Such an
// answer that fails midway breaks the connection, so that it never looks whole.
// [Service.Routes] has the parameters and problem codes of each route.
//
// HEAD answers as GET does. An insert takes 1000 documents at most. Bodies and
// preconditions that a route has no use for are 400, lest they seem to hold.
//
// Pages follow one another by the Link header. Where no sort is given they come by
// _id, so that they fit together; a list that fits into one page, and NDJSON, come in
// the database's own order, which costs nothing. An aggregation has no pages: where
// an array leaves out what comes after 1000 documents, the answer says
// "X-Truncated: true". Clients must read: after 30 seconds, arrays at 64 KiB and lines
// at 16 KiB a second on average, or the connection breaks.
//
// # What may be asked
//
// What is not on these lists is 400 operator_not_allowed with its path, such as
// pipeline[2].$facet.a[0].$lookup:
//
//   - filters: $and $or $nor $not $eq $ne $gt $gte $lt $lte $in $nin $exists $type
//     $all $elemMatch $size $mod $regex $options $expr; with Options.Geo $geoWithin
//     $geoIntersects $near $nearSphere, with Options.Text $text;
//   - updates: $set $unset $inc $mul $min $max $rename $push (with $each $slice $sort
//     $position) $addToSet $pull $pullAll $pop $bit $currentDate $setOnInsert; a
//     document without operators means $set;
//   - stages: $match $project $addFields $set $unset $group $sort $limit $skip
//     $unwind $count $sortByCount $bucket $bucketAuto $replaceRoot $replaceWith $facet
//     $sample $lookup $unionWith $graphLookup;
//   - accumulators: $addToSet $avg $bottom $bottomN $count $first $firstN $last $lastN
//     $max $maxN $median $mergeObjects $min $minN $percentile $push $stdDevPop
//     $stdDevSamp $sum $top $topN;
//   - expressions, in stages and in $expr, those that compute from their arguments:
//     $abs $acos $acosh $add $allElementsTrue $and $anyElementTrue $arrayElemAt
//     $arrayToObject $asin $asinh $atan $atan2 $atanh $avg $binarySize $bitAnd $bitNot
//     $bitOr $bitXor $bsonSize $ceil $cmp $concat $concatArrays $cond $convert $cos
//     $cosh $dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract
//     $dateToParts $dateToString $dateTrunc $dayOfMonth $dayOfWeek $dayOfYear
//     $degreesToRadians $divide $eq $exp $filter $first $firstN $floor $getField $gt
//     $gte $hour $ifNull $in $indexOfArray $indexOfBytes $indexOfCP $isArray $isNumber
//     $isoDayOfWeek $isoWeek $isoWeekYear $last $lastN $let $literal $ln $log $log10
//     $lt $lte $ltrim $map $max $maxN $median $mergeObjects $millisecond $min $minN
//     $minute $mod $month $multiply $ne $not $objectToArray $or $percentile $pow
//     $radiansToDegrees $range $reduce $regexFind $regexFindAll $regexMatch $replaceAll
//     $replaceOne $reverseArray $round $rtrim $second $setDifference $setEquals
//     $setField $setIntersection $setIsSubset $setUnion $sin $sinh $size $slice
//     $sortArray $split $sqrt $stdDevPop $stdDevSamp $strLenBytes $strLenCP $strcasecmp
//     $substr $substrBytes $substrCP $subtract $sum $switch $tan $tanh $toBool $toDate
//     $toDecimal $toDouble $toInt $toLong $toLower $toObjectId $toString $toUpper $trim
//     $trunc $tsIncrement $tsSecond $type $unsetField $week $year $zip.
//
// Never $where, $function, $accumulator, $out and $merge. There may be 200
// conditions, 1000 values of $in, 8 fields in a sort, 20 stages in all; filters nest
// 10 levels, pipelines 20, documents 100; a regular expression has 256 characters. A
// document may not name a field by an empty text, with a leading dollar sign, a dot
// or a NUL.
//
// # Fields of our own
//
// Top-level names that begin with an underscore are reserved: clients read them and
// never write them, apart from _id in an insert.
//
//   - _id: a string, number or ObjectId of at most 512 bytes, or a new string of 24
//     hex digits; not "." and "..". In a path an id is looked for as a string, then
//     as an ObjectId; one that is a number is reached by a query only;
//   - _inserted and _patched: when the document was inserted and last changed, as
//     dates;
//   - _version: a number that each write through this package raises.
//
// What auth keeps in its users (_password, _sessions, _identity) does not exist over
// HTTP, whatever the collection. Collections that begin with "_" or "system.", those
// in Options.Reserved, and those that belong to another service of the same App are
// 403 collection_reserved; others are called by a letter and up to 63 letters,
// digits, underscores and hyphens.
//
// # Versions
//
// The ETag of a document is its _version; it starts at the time of the insert in
// microseconds, so that a document that was deleted and made anew never has an ETag
// that the old one had. If-Match is checked by the database, in the filter of the
// write: of writers who read the same version one succeeds, the others get 412
// precondition_failed. A document that other programs made has the hash of its
// visible content for ETag, and is matched by what it has for _version, if only
// nothing: writes here count there from 1, or begin anew in place of what is no
// number. A write of many cannot do the latter, and is 409 version_invalid. What other
// programs write between the two, without a change of _version, goes unseen. Several
// instances of a gateway may share a database as long as their clocks roughly agree.
//
// # Events
//
// Each write asks [Inserting], [Patching] or [Deleting] before and publishes
// [Inserted], [Patched] or [Deleted] after it, with the semantics of package signals.
// Interceptors may refuse, and change what is written; over HTTP what they leave is
// checked again.
//
// # Errors
//
// The methods return [ErrNotFound], [ErrVersion], [*DuplicateError], [*InsertError], the refusals
// of interceptors as they are, and the driver's errors wrapped. Over HTTP the
// database's words never show: a duplicate key is 409 duplicate_key, a lacking
// feature 501 unsupported, a database that is away 503 database_unavailable with
// Retry-After, one that takes too long 504 timeout. A write of many that fails midway
// has matched and modified, or deleted, in its problem.
//
// # The embedded database
//
// All of this works on it but what it refuses, which is 501. There is an index for
// _id only: other filters, counts and sorts, that of pages too, read the whole
// collection.
package storage
