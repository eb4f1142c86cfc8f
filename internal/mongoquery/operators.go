package mongoquery

// isPlainOperator is the list of expression operators that do nothing but compute from their arguments, and take as
// argument an expression or an array of them. Some, such as `$year`, take a document too, which is checked as an object.
func isPlainOperator(name []byte) bool {
	switch string(name) {
	case
		// arithmetic
		"$abs", "$add", "$ceil", "$divide", "$exp", "$floor", "$ln", "$log", "$log10", "$mod", "$multiply", "$pow",
		"$round", "$sqrt", "$subtract", "$trunc", "$bitAnd", "$bitNot", "$bitOr", "$bitXor",
		// array
		"$arrayElemAt", "$arrayToObject", "$concatArrays", "$first", "$in", "$indexOfArray", "$isArray", "$last",
		"$objectToArray", "$range", "$reverseArray", "$size", "$slice",
		// boolean, comparison, conditional
		"$and", "$not", "$or", "$cmp", "$eq", "$gt", "$gte", "$lt", "$lte", "$ne", "$ifNull",
		// date
		"$dayOfMonth", "$dayOfWeek", "$dayOfYear", "$hour", "$isoDayOfWeek", "$isoWeek", "$isoWeekYear", "$millisecond",
		"$minute", "$month", "$second", "$tsIncrement", "$tsSecond", "$week", "$year",
		// object, set
		"$mergeObjects", "$allElementsTrue", "$anyElementTrue", "$setDifference", "$setEquals", "$setIntersection",
		"$setIsSubset", "$setUnion",
		// string
		"$concat", "$indexOfBytes", "$indexOfCP", "$split", "$strLenBytes", "$strLenCP", "$strcasecmp", "$substr",
		"$substrBytes", "$substrCP", "$toLower", "$toUpper",
		// trigonometry
		"$acos", "$acosh", "$asin", "$asinh", "$atan", "$atan2", "$atanh", "$cos", "$cosh", "$degreesToRadians",
		"$radiansToDegrees", "$sin", "$sinh", "$tan", "$tanh",
		// type
		"$binarySize", "$bsonSize", "$isNumber", "$toBool", "$toDate", "$toDecimal", "$toDouble", "$toInt", "$toLong",
		"$toObjectId", "$toString", "$type",
		// statistics over an array
		"$avg", "$max", "$min", "$stdDevPop", "$stdDevSamp", "$sum":
		return true
	}
	return false
}

// argumentsOf gives the argument names of the operators that take all of them as expressions by name, and "" for others.
func argumentsOf(name []byte) string {
	switch string(name) {
	case "$convert":
		return "input to onError onNull format byteOrder"
	case "$dateAdd", "$dateSubtract":
		return "startDate unit amount timezone"
	case "$dateDiff":
		return "startDate endDate unit timezone startOfWeek"
	case "$dateFromParts":
		return "year isoWeekYear month isoWeek day isoDayOfWeek hour minute second millisecond timezone"
	case "$dateFromString":
		return "dateString format timezone onError onNull"
	case "$dateToParts":
		return "date timezone iso8601"
	case "$dateToString":
		return "date format timezone onNull"
	case "$dateTrunc":
		return "date unit binSize timezone startOfWeek"
	case "$firstN", "$lastN", "$maxN", "$minN":
		return "n input"
	case "$ltrim", "$rtrim", "$trim":
		return "input chars"
	case "$median":
		return "input method"
	case "$percentile":
		return "input p method"
	case "$reduce":
		return "input initialValue in"
	case "$replaceAll", "$replaceOne":
		return "input find replacement"
	case "$zip":
		return "inputs useLongestLength defaults"
	}
	return ""
}
