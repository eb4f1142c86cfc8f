package extjson

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.mongodb.org/mongo-driver/bson"
)

// MaxDepth is the nesting to which [Document] and [Array] are bound, themselves
// included: as deep as MongoDB itself stores.
const MaxDepth = 100

// Parse turns an Extended JSON object into BSON. Documents and arrays nest at
// most maxDepth levels, the object itself being the first; type wrappers do not
// count. Its error is an *[Error].
func Parse(data []byte, maxDepth int) (bson.Raw, error) {
	d := bounded[Document]{max: maxDepth, read: (*parser).topDocument}
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, describe(err, Path)
	}
	return bson.Raw(d.out), nil
}

// ParseArray turns an Extended JSON array of objects, such as a pipeline, into
// BSON documents. It is bound as [Parse] is, the array being the first level. It
// never returns nil without an error, and its error is an *[Error].
func ParseArray(data []byte, maxDepth int) ([]bson.Raw, error) {
	a := bounded[Array]{max: maxDepth, read: (*parser).topArray}
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, describe(err, Path)
	}
	return a.out, nil
}

// Document is an Extended JSON object as a field of a struct. It is nil where
// the field is absent.
type Document bson.Raw

// UnmarshalJSONFrom reads the object. Its error is an *[Error] whose path begins
// at the top of what is being decoded.
func (d *Document) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return readInto(d, dec, MaxDepth, (*parser).topDocument)
}

// Array is an Extended JSON array of objects as a field of a struct: a pipeline,
// or a list of documents. It is nil where the field is absent, and empty but not
// nil for [].
type Array []bson.Raw

// UnmarshalJSONFrom reads the array. Its error is an *[Error] whose path begins
// at the top of what is being decoded.
func (a *Array) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return readInto(a, dec, MaxDepth, (*parser).topArray)
}

// bounded reads a T with a depth of its own.
type bounded[T any] struct {
	out  T
	max  int
	read func(*parser) (T, error)
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (b *bounded[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return readInto(&b.out, dec, b.max, b.read)
}

func readInto[T any](out *T, dec *jsontext.Decoder, maxDepth int, read func(*parser) (T, error)) error {
	value, err := read(newParser(dec, maxDepth))
	if err != nil {
		return err
	}
	*out = value
	return nil
}
