package mongoquery_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

// everyName is every name beginning with a dollar sign that MongoDB's manual or source has, and some that never were.
// Each is tried at each place; those that pass must be exactly those that doc.go publishes for it.
const everyName = `
$abs $accumulator $acos $acosh $add $addFields $addToSet $all $allElementsTrue $allMatch $alwaysFalse $alwaysTrue $and
$anyElementTrue $arrayElemAt $arrayToObject $asin $asinh $atan $atan2 $atanh $avg $backupCursor $betaMultiStream $binarySize
$bit $bitAnd $bitNot $bitOr $bitsAllClear $bitsAllSet $bitsAnyClear $bitsAnySet $bitXor $bottom $bottomN $box $bsonSize
$bucket $bucketAuto $caseSensitive $ceil $center $centerSphere $changeStream $changeStreamSplitLargeEvent $cmp $collStats
$comment $concat $concatArrays $cond $const $convert $cos $cosh $count $covariancePop $covarianceSamp $createObjectId
$currentDate $currentOp $dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract $dateToParts $dateToString $dateTrunc
$dayOfMonth $dayOfWeek $dayOfYear $db $degreesToRadians $denseRank $densify $derivative $diacriticSensitive $divide
$documentNumber $documents $each $elemMatch $encStrContains $eq $exists $exp $explain $expMovingAvg $expr $facet $fill $filter
$first $firstN $floor $function $geoIntersects $geometry $geoNear $geoWithin $getField $graphLookup $group $gt $gte $hash
$hexHash $hint $hour $id $ifNull $in $inc $indexOfArray $indexOfBytes $indexOfCP $indexStats $integral $internalPipeline
$isArray $isNumber $isoDayOfWeek $isoWeek $isoWeekYear $isolated $jsonSchema $language $last $lastN $let $limit $linearFill
$listCachedAndActiveUsers $listCatalog $listClusterCatalog $listLocalSessions $listSampledQueries $listSearchIndexes
$listSessions $literal $ln $locf $log $log10 $lookup $lt $lte $ltrim $map $match $max $maxDistance $maxN $maxScan $maxTimeMS
$median $merge $mergeCursors $mergeObjects $meta $millisecond $min $minDistance $minMaxScaler $minN $minute $mod $month $mul
$multiply $natural $ne $near $nearSphere $nin $nor $not $objectToArray $operationMetrics $options $or $orderby $out
$percentile $planCacheStats $polygon $pop $position $pow $project $pull $pullAll $push $query $querySettings $queryStats
$queue $radiansToDegrees $rand $range $rank $rankFusion $redact $reduce $ref $regex $regexFind $regexFindAll $regexMatch
$rename $replaceAll $replaceOne $replaceRoot $replaceWith $returnKey $reverseArray $round $rtrim $sample $sampleRate $score
$scoreFusion $search $searchBeta $searchMeta $second $serializeEJSON $deserializeEJSON $set $setDifference $setEquals
$setField $setIntersection $setIsSubset $setMetadata $setOnInsert $setUnion $setVariableFromSubPipeline
$setWindowFields $shardedDataDistribution $shift $showDiskLoc $showRecordId $sigmoid $similarityCosine $sin $sinh $size $skip
$slice $snapshot $sort $sortArray $sortByCount $split $sqrt $stdDevPop $stdDevSamp $strcasecmp $strLenBytes $strLenCP
$subtract $substr $substrBytes $substrCP $subtype $sum $switch $tan $tanh $test $text $toArray $toBool $toDate $toDecimal
$toDouble $toHashedIndexKey $toInt $toLong $toLower $toObject $toObjectId $toString $toUpper $toUUID $top $topN
$topologicalSort $trim $trunc $tsIncrement $tsSecond $type $uniqueDocs $unionWith $unset $unsetField $unwind $vectorSearch
$week $where $within $xor $year $zip $_internalInhibitOptimization $_internalJsEmit $_internalSchemaEq $_internalExprEq
$_internalFindAllValuesAtPath $_internalSearchMongotRemote $_internalUnpackBucket $_internalOwningShard $$ROOT $ $. $$ $[]
$[x] $Where $WHERE $eq.x`

// published reads the names in the indented blocks of one section of doc.go.
func published(tb testing.TB, section string) []string {
	tb.Helper()
	source, err := os.ReadFile("doc.go")
	if err != nil {
		tb.Fatal(err)
	}
	_, text, found := strings.Cut(string(source), "// # "+section+"\n")
	if !found {
		tb.Fatalf("doc.go has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "// # ")
	var names []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "//\t$") {
			names = append(names, strings.Fields(line)[1:]...)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "$$") })
}

func TestListsAreThosePublished(t *testing.T) {
	t.Parallel()
	rules := open()
	one := func(name string) bson.D { return bson.D{{Key: name, Value: 1}} }
	for section, try := range map[string]func(name string) error{
		"Filters": func(name string) error {
			top := rules.Filter(raw(t, one(name)))
			onField := rules.Filter(raw(t, bson.D{{Key: "a", Value: one(name)}}))
			if refused(top) && refused(onField) {
				return top
			}
			return nil
		},
		"Projections and sorts": func(name string) error {
			if name == "$meta" {
				return rules.Projection(raw(t, bson.D{{Key: "a", Value: bson.D{{Key: name, Value: "textScore"}}}}))
			}
			return rules.Projection(raw(t, bson.D{{Key: "a", Value: one(name)}}))
		},
		"Updates": func(name string) error {
			_, err := rules.Update(raw(t, one(name)))
			return err
		},
		"Stages": func(name string) error { return rules.Pipeline([]bson.Raw{raw(t, one(name))}) },
		"Accumulators": func(name string) error {
			field := bson.D{{Key: "_id", Value: nil}, {Key: "a", Value: one(name)}}
			return rules.Pipeline([]bson.Raw{raw(t, bson.D{{Key: "$group", Value: field}})})
		},
		"Expressions": func(name string) error {
			field := bson.D{{Key: "a", Value: one(name)}}
			return rules.Pipeline([]bson.Raw{raw(t, bson.D{{Key: "$project", Value: field}})})
		},
	} {
		t.Run(section, func(t *testing.T) {
			t.Parallel()
			list := published(t, section)
			if len(list) < 3 {
				t.Fatalf("read only %v from doc.go", list)
			}
			var allowed []string
			for _, name := range strings.Fields(everyName) {
				if !refused(try(name)) {
					allowed = append(allowed, name)
				}
			}
			slices.Sort(list)
			slices.Sort(allowed)
			if !slices.Equal(list, allowed) {
				t.Errorf("published but refused: %v\nallowed but not published: %v", without(list, allowed), without(allowed, list))
			}
		})
	}
}

// refused tells a name that is not on the list from an argument that is not right.
func refused(err error) bool {
	var refusal *mongoquery.Error
	return errors.As(err, &refusal) && refusal.Code == mongoquery.CodeOperator
}

func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func raw(tb testing.TB, d bson.D) bson.Raw {
	tb.Helper()
	out, err := bson.Marshal(d)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestEveryRefusalNamesWhatItRefuses(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^query\.[^.]+$`)
	for _, name := range strings.Fields(everyName) {
		err := open().Filter(raw(t, bson.D{{Key: name, Value: bson.D{{Key: "$secret", Value: "value"}}}}))
		var refusal *mongoquery.Error
		if !errors.As(err, &refusal) || strings.Contains(err.Error(), "value") {
			t.Errorf("%s: %v", name, err)
		} else if !strings.Contains(name, ".") && refusal.Path != "query."+name && plain.MatchString(refusal.Path) {
			t.Errorf("%s: path %s", name, refusal.Path)
		}
	}
}
