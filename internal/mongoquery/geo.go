package mongoquery

import "go.mongodb.org/mongo-driver/bson"

// geo checks the geographic operators on a field, the last ones that a filter knows; doc has the siblings.
func (c *check) geo(name []byte, v value, doc []byte) *Error {
	if !c.rules.Geo {
		return notAllowed()
	}
	switch string(name) {
	case "$geoWithin":
		return shapeArguments(v, within)
	case "$geoIntersects":
		return shapeArguments(v, intersecting)
	case "$near", "$nearSphere":
		return c.nearby(v)
	case "$maxDistance", "$minDistance":
		if !has(doc, "$near") && !has(doc, "$nearSphere") {
			return invalid("must be beside $near or $nearSphere")
		}
		return number(v)
	}
	return notAllowed()
}

// nearby checks `$near`, whose order the server gives to finds only.
func (c *check) nearby(v value) *Error {
	if c.aggregating {
		return notAllowed()
	}
	if v.isArray() {
		return coordinates(v)
	}
	return shapeArguments(v, near)
}

// shapeArguments checks the non-empty document of a geographic operator, each argument by the given function.
func shapeArguments(v value, argument func(name []byte, v value) *Error) *Error {
	if !v.isDocument() || isEmpty(v.data) {
		return invalid("must be a document with a shape")
	}
	return eachField(v.data, argument)
}

func within(name []byte, v value) *Error {
	switch string(name) {
	case "$geometry":
		return geometry(v)
	case "$box", "$center", "$centerSphere", "$polygon":
		return coordinates(v)
	}
	return notAllowed()
}

func intersecting(name []byte, v value) *Error {
	if string(name) == "$geometry" {
		return geometry(v)
	}
	return notAllowed()
}

func near(name []byte, v value) *Error {
	switch string(name) {
	case "$geometry":
		return geometry(v)
	case "$maxDistance", "$minDistance":
		return number(v)
	}
	return notAllowed()
}

// geometry checks a GeoJSON object (RFC 7946, section 3.1).
func geometry(v value) *Error {
	if !v.isDocument() || !has(v.data, "type") {
		return invalid("must be a GeoJSON object")
	}
	return eachField(v.data, geometryMember)
}

func geometryMember(name []byte, v value) *Error {
	switch string(name) {
	case "type":
		if v.kind != bson.TypeString {
			return invalid("must be a string")
		}
		return nil
	case "coordinates":
		return coordinates(v)
	case "geometries":
		return geometries(v)
	case "crs": // the server's own extension, for large polygons
		return literal(v)
	}
	return invalid("is not a member of a GeoJSON object")
}

func geometries(v value) *Error {
	if !v.isArray() {
		return invalid("must be an array of GeoJSON objects")
	}
	if count(v.data) > MaxElements {
		return tooComplex("has too many elements")
	}
	return eachElement(v.data, geometry)
}

// coordinates checks numbers in arrays.
func coordinates(v value) *Error {
	if !v.isArray() {
		return invalid("must be an array of numbers")
	}
	if count(v.data) > MaxElements {
		return tooComplex("has too many elements")
	}
	return eachElement(v.data, func(v value) *Error {
		if v.isNumber() {
			return nil
		}
		return coordinates(v)
	})
}

func number(v value) *Error {
	if !v.isNumber() {
		return invalid("must be a number")
	}
	return nil
}
