package extjson_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// generator makes random documents.
type generator struct {
	*rand.Rand
	stored bool // also what Parse refuses or, as documented, changes
}

func (g generator) document(depth int) bson.D {
	doc := bson.D{}
	for i := range g.IntN(6) {
		// The number keeps names apart, and no name is that of a type wrapper.
		doc = append(doc, bson.E{Key: g.text(false) + strconv.Itoa(i), Value: g.value(depth)})
	}
	return doc
}

func (g generator) value(depth int) any {
	n := 15
	if g.stored {
		n = 22
	}
	switch kind := g.IntN(n + 2); {
	case kind < n:
		return g.leaf(kind)
	case depth == 0:
		return nil
	case kind == n:
		return g.document(depth - 1)
	}
	list := bson.A{}
	for range g.IntN(12) {
		list = append(list, g.value(depth-1))
	}
	return list
}

func (g generator) leaf(kind int) any {
	switch kind {
	case 0:
		return g.IntN(2) == 0
	case 1:
		return int32(g.Uint32())
	case 2:
		return int64(g.Uint64()) | 1<<40 // does not fit 32 bits
	case 3:
		return math.Float64frombits(g.Uint64()&^(1<<62) | g.Uint64N(2)<<61) // finite
	case 4:
		return float64(g.IntN(2000)-1000) / 8
	case 5:
		return []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64}[g.IntN(5)]
	case 6:
		d, _ := primitive.ParseDecimal128(fmt.Sprintf("%d%dE%d", g.Int64(), g.IntN(1000), g.IntN(12000)-6100))
		return d
	case 7:
		return g.text(true)
	case 8:
		return primitive.DateTime(g.Int64N(300000000000000) - 20000000000000)
	case 9:
		return primitive.DateTime(g.Int64N(4000000000) * 1000)
	case 10:
		return primitive.NewObjectID()
	case 11:
		return primitive.Binary{Subtype: byte(g.Uint32()), Data: []byte(g.text(true))}
	case 12:
		return primitive.Regex{Pattern: g.text(false), Options: []string{"", "i", "im", "imsx"}[g.IntN(4)]}
	case 13:
		return primitive.Timestamp{T: g.Uint32(), I: g.Uint32()}
	case 14:
		return []any{nil, primitive.MinKey{}, primitive.MaxKey{}}[g.IntN(3)]
	case 15:
		return int64(g.IntN(2000) - 1000)
	case 16:
		return g.text(true) + "\xff\xc0" + g.text(true)
	case 17:
		return primitive.JavaScript(g.text(true))
	case 18:
		return primitive.CodeWithScope{Code: primitive.JavaScript(g.text(true)), Scope: g.document(1)}
	case 19:
		return primitive.Symbol(g.text(true))
	case 20:
		// The driver does not escape the name space.
		return primitive.DBPointer{DB: "db.c", Pointer: primitive.NewObjectID()}
	}
	return primitive.Undefined{}
}

// text returns a string of characters that JSON escapes, of several lengths in
// UTF-8, and others.
func (g generator) text(nul bool) string {
	alphabet := []rune("abc.$ /\\\"\n\t\x01\x1f\x7fé߿\u2028\ufffd\uffff😀")
	if nul {
		alphabet = append(alphabet, 0)
	}
	text := make([]rune, g.IntN(12))
	for i := range text {
		text[i] = alphabet[g.IntN(len(alphabet))]
	}
	return string(text)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		g := generator{Rand: rand.New(rand.NewPCG(seed, 1))}
		doc := marshal(t, g.document(4))
		text, err := extjson.AppendRelaxed(nil, doc)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := extjson.Parse(text, extjson.MaxDepth)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if !bytes.Equal(got, doc) {
			t.Fatalf("seed %d: %s\ngot  %v\nwant %v", seed, text, got, doc)
		}
	}
}

// What the driver makes of our JSON is what it makes of its own.
func TestAppendRelaxedAgreesWithTheDriver(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		g := generator{Rand: rand.New(rand.NewPCG(seed, 2)), stored: true}
		doc := marshal(t, g.document(4))
		ours, err := extjson.AppendRelaxed(nil, doc)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		theirs, err := bson.MarshalExtJSON(doc, false, false)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got, want := reference(t, ours), reference(t, theirs); !bytes.Equal(got, want) {
			t.Fatalf("seed %d:\nours   %s\ntheirs %s", seed, ours, theirs)
		}
	}
}

// reference decodes Extended JSON with the driver.
func reference(t *testing.T, text []byte) bson.Raw {
	t.Helper()
	var doc bson.D
	if err := bson.UnmarshalExtJSON(text, false, &doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return marshal(t, doc)
}

// What the package documentation says does not survive a round trip.
func TestRoundTripExceptions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ stored, back any }{
		"a small int64":               {int64(7), int32(7)},
		"invalid UTF-8":               {"a\xff", "a\ufffd"},
		"unsorted options":            {primitive.Regex{Pattern: "a", Options: "mi"}, primitive.Regex{Pattern: "a", Options: "im"}},
		"a NaN with a payload":        {math.Float64frombits(0x7ff8000000000123), math.NaN()},
		"a document like an ObjectId": {bson.D{{Key: "$oid", Value: "0123456789abcdef01234567"}}, primitive.ObjectID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := extjson.AppendRelaxed(nil, marshal(t, bson.D{{Key: "v", Value: test.stored}}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := extjson.Parse(text, extjson.MaxDepth)
			if err != nil {
				t.Fatal(err)
			}
			if want := marshal(t, bson.D{{Key: "v", Value: test.back}}); !bytes.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
