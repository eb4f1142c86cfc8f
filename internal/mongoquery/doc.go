// Package mongoquery decides whether what a client sends may reach MongoDB: filters, projections, sorts, updates,
// documents and aggregation pipelines.
//
// It is one recursive parser over lists of what is allowed. What is not on the list for its place is refused, at every
// depth, with its path: `pipeline[2].$facet.a[0].$lookup`. A first pass makes sure of the bytes themselves (lengths,
// names, nesting, leaf types, regular expressions), so that the second, which knows the grammar, may trust them. Neither
// allocates unless it refuses, but for the name of a joined collection.
//
//	rules := mongoquery.Rules{Hidden: []string{"_password", "_sessions"}, Expr: true}
//	if err := rules.Filter(query); err != nil { … } // *mongoquery.Error: Path, Code, Reason
//
// # Fields
//
// A field is judged by the first segment of its path. Reserved fields, which begin with an underscore, are never written,
// save those named in [Rules.Writable], and may be read unless [Rules.DenyReserved] is set. Hidden fields
// ([Rules.Hidden]) are neither written nor read, nor named by any stage, field path or variable. Paths have no empty
// segment and none that begins with a dollar sign: positional operators are not allowed.
//
// Where a value is data (what is inserted, set, pushed, or compared with) no name in it is empty, begins with a dollar
// sign or has a dot, at any depth.
//
// # Filters
//
// Where field names stand:
//
//	$and $or $nor $expr $text
//
// On a field:
//
//	$eq $ne $gt $gte $lt $lte $in $nin $all $not $elemMatch $exists $type $size $mod $regex $options
//	$geoWithin $geoIntersects $near $nearSphere $maxDistance $minDistance
//
// `$expr` is there with [Rules.Expr], `$text` ($search $language $caseSensitive $diacriticSensitive) with [Rules.Text],
// the geographic ones ($geometry $box $center $centerSphere $polygon) with [Rules.Geo]; `$near` and `$nearSphere` are not
// for pipelines, as the server has it. An `$expr` in a filter reads fields by name: not `$$ROOT` or `$$CURRENT` as a
// whole, for nothing has removed the hidden fields from these. A text index over hidden fields answers for them: do not
// make one.
//
// # Projections and sorts
//
// A projection says 0, 1, true or false of a field, or one of
//
//	$slice $elemMatch $meta
//
// and a sort 1, -1, or `$meta`. The only `$meta` is "textScore", with [Rules.Text]. Projections have no expressions.
//
// # Updates
//
//	$set $setOnInsert $unset $inc $mul $min $max $rename $push $addToSet $pull $pullAll $pop $bit $currentDate
//
// `$push` takes $each $slice $sort $position, `$addToSet` takes $each, `$currentDate` takes $type, and the condition of
// `$pull` is checked as a filter. [Rules.Updates] narrows the list. A document without operators stands for its `$set`.
//
// # Stages
//
//	$match $project $addFields $set $unset $group $sort $limit $skip $unwind $count $sortByCount $bucket $bucketAuto
//	$replaceRoot $replaceWith $facet $sample $lookup $unionWith $graphLookup
//
// A joined collection is a string that [Rules.Collections] allows. `$facet` is not allowed inside `$facet`.
//
// # Accumulators
//
//	$addToSet $avg $bottom $bottomN $count $first $firstN $last $lastN $max $maxN $median $mergeObjects $min $minN
//	$percentile $push $stdDevPop $stdDevSamp $sum $top $topN
//
// # Expressions
//
// Those that compute from their arguments:
//
//	$abs $acos $acosh $add $allElementsTrue $and $anyElementTrue $arrayElemAt $arrayToObject $asin $asinh $atan $atan2
//	$atanh $avg $binarySize $bitAnd $bitNot $bitOr $bitXor $bsonSize $ceil $cmp $concat $concatArrays $cond $convert
//	$cos $cosh $dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract $dateToParts $dateToString $dateTrunc
//	$dayOfMonth $dayOfWeek $dayOfYear $degreesToRadians $divide $eq $exp $filter $first $firstN $floor $getField $gt
//	$gte $hour $ifNull $in $indexOfArray $indexOfBytes $indexOfCP $isArray $isNumber $isoDayOfWeek $isoWeek
//	$isoWeekYear $last $lastN $let $literal $ln $log $log10 $lt $lte $ltrim $map $max $maxN $median $mergeObjects
//	$millisecond $min $minN $minute $mod $month $multiply $ne $not $objectToArray $or $percentile $pow
//	$radiansToDegrees $range $reduce $regexFind $regexFindAll $regexMatch $replaceAll $replaceOne $reverseArray $round
//	$rtrim $second $setDifference $setEquals $setField $setIntersection $setIsSubset $setUnion $sin $sinh $size $slice
//	$sortArray $split $sqrt $stdDevPop $stdDevSamp $strLenBytes $strLenCP $strcasecmp $substr $substrBytes $substrCP
//	$subtract $sum $switch $tan $tanh $toBool $toDate $toDecimal $toDouble $toInt $toLong $toLower $toObjectId $toString
//	$toUpper $trim $trunc $tsIncrement $tsSecond $type $unsetField $week $year $zip
//
// The field of `$getField` and the pattern of `$regexMatch` and its like are constants. Variables are those that the
// client names, in the form `^[a-z][A-Za-z0-9_]*$`, and
//
//	$$ROOT $$CURRENT $$NOW $$REMOVE
//
// # Limits
//
// See [MaxConditions] and its neighbours. They bound what a request says, not what it makes the server do: `$reduce` can
// build large values out of small ones, and a join is as expensive as its collections are large. Run with a time limit.
//
// # Pipelines
//
// [Rules.Pipeline] only checks. [Rules.Secure] checks, and returns what may be run: with the caller's scope first in the
// pipeline and in every joined one, and without the hidden fields.
package mongoquery
