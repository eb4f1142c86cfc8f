package embedded_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"

	"github.com/imadelakhaldev/coglex/embedded"
)

// unique puts a unique index on a field.
func unique(tb testing.TB, c *mongo.Collection, field string) {
	tb.Helper()
	index := mongo.IndexModel{Keys: bson.D{{Key: field, Value: 1}}, Options: options.Index().SetUnique(true)}
	if _, err := c.Indexes().CreateOne(tb.Context(), index); err != nil {
		tb.Fatal(err)
	}
}

// together runs n calls of fn at once and returns how many of them had no error. Others must satisfy expected.
func together(t *testing.T, n int, expected func(error) bool, fn func(i int) error) int {
	t.Helper()
	var wins atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			switch err := fn(i); {
			case err == nil:
				wins.Add(1)
			case !expected(err):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return int(wins.Load())
}

func never(error) bool { return false }

func TestConcurrentUpdatesAllCount(t *testing.T) {
	t.Parallel()
	for name, update := range map[string]func(ctx context.Context, c *mongo.Collection, u bson.M) error{
		"update": func(ctx context.Context, c *mongo.Collection, u bson.M) error {
			_, err := c.UpdateByID(ctx, "counter", u)
			return err
		},
		"findAndModify": func(ctx context.Context, c *mongo.Collection, u bson.M) error {
			return c.FindOneAndUpdate(ctx, bson.M{"_id": "counter"}, u).Err()
		},
		"upsert": func(ctx context.Context, c *mongo.Collection, u bson.M) error {
			_, err := c.UpdateByID(ctx, "counter", u, options.Update().SetUpsert(true))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			things := collection(t)
			if name != "upsert" {
				insert(t, things, bson.M{"_id": "counter", "n": 0})
			}
			together(t, 200, never, func(int) error { return update(t.Context(), things, bson.M{"$inc": bson.M{"n": 1}}) })
			var got struct{ N int }
			if err := things.FindOne(t.Context(), bson.M{"_id": "counter"}).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if got.N != 200 {
				t.Errorf("200 increments made %d", got.N)
			}
		})
	}
}

func TestConcurrentInsertsAllStay(t *testing.T) {
	t.Parallel()
	things := collection(t)
	together(t, 200, never, func(i int) error {
		_, err := things.InsertOne(t.Context(), bson.M{"_id": i})
		return err
	})
	if n := count(t, things, bson.M{}); n != 200 {
		t.Errorf("200 inserts made %d documents", n)
	}
}

func TestOneOfManyTakesAUniqueValue(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]func(i int) bson.M{
		"_id":   func(int) bson.M { return bson.M{"_id": "same"} },
		"index": func(i int) bson.M { return bson.M{"_id": i, "e": "same"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			things := collection(t)
			unique(t, things, "e")
			won := together(t, 50, mongo.IsDuplicateKeyError, func(i int) error {
				_, err := things.InsertOne(t.Context(), doc(i))
				return err
			})
			if n := count(t, things, bson.M{}); won != 1 || n != 1 {
				t.Errorf("%d won, %d documents", won, n)
			}
		})
	}
}

func TestUpdateToATakenValueIsADuplicate(t *testing.T) {
	t.Parallel()
	things := collection(t)
	unique(t, things, "e")
	insert(t, things, bson.M{"_id": 1, "e": "a"}, bson.M{"_id": 2, "e": "b"})
	set := bson.M{"$set": bson.M{"e": "a"}}
	ctx := t.Context()
	_, update := things.UpdateByID(ctx, 2, set)
	_, replace := things.ReplaceOne(ctx, bson.M{"_id": 2}, bson.M{"e": "a"})
	_, many := things.UpdateMany(ctx, bson.M{}, set)
	_, bulk := things.BulkWrite(ctx, []mongo.WriteModel{
		mongo.NewUpdateOneModel().SetFilter(bson.M{"_id": 2}).SetUpdate(set),
		mongo.NewUpdateOneModel().SetFilter(bson.M{"_id": 3}).SetUpdate(set),
	})
	_, index := things.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{"same": 1}, Options: options.Index().SetUnique(true)})
	if index != nil {
		t.Error(index) // none of the documents has the field
	}
	insert(t, things, bson.M{"_id": 3, "e": "c", "twice": 1}, bson.M{"_id": 4, "e": "d", "twice": 1})
	_, index = things.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{"twice": 1}, Options: options.Index().SetUnique(true)})
	for name, err := range map[string]error{
		"update": update, "replace": replace, "update of many": many, "bulk": bulk, "index over duplicates": index,
		"findAndModify": things.FindOneAndUpdate(ctx, bson.M{"_id": 2}, set).Err(),
	} {
		if !mongo.IsDuplicateKeyError(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := fmt.Sprint(update); !strings.Contains(err, "test.things index: e_1") || strings.Contains(err, ".go") {
		t.Errorf("the message: %s", err)
	}
	if n := count(t, things, bson.M{"e": "b"}); n != 1 {
		t.Errorf("the refused updates left %d of the document", n)
	}
}

func TestIndexesMadeAtOnce(t *testing.T) {
	t.Parallel()
	things := collection(t)
	together(t, 20, never, func(int) error {
		_, err := things.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.M{"e": 1}, Options: options.Index().SetUnique(true)})
		return err
	})
	insert(t, things, bson.M{"e": 1})
	if _, err := things.InsertOne(t.Context(), bson.M{"e": 1}); !mongo.IsDuplicateKeyError(err) {
		t.Errorf("a duplicate: %v", err)
	}
}

func TestReadsGoOnDuringWrites(t *testing.T) {
	t.Parallel()
	things := collection(t)
	insert(t, things, bson.M{"_id": "there"})
	together(t, 100, never, func(i int) error {
		if i%2 == 0 {
			_, err := things.InsertOne(t.Context(), bson.M{"_id": i})
			return err
		}
		cursor, err := things.Find(t.Context(), bson.M{}, options.Find().SetBatchSize(3))
		if err != nil {
			return err
		}
		var all []bson.M
		if err := cursor.All(t.Context(), &all); err != nil {
			return err
		}
		if len(all) == 0 {
			return errors.New("nothing read")
		}
		return nil
	})
}

func TestCollectionsComeAndGoAtOnce(t *testing.T) {
	t.Parallel()
	db := collection(t).Database()
	together(t, 40, never, func(i int) error {
		c := db.Collection(fmt.Sprint("c", i%4))
		if i%5 == 0 {
			return c.Drop(t.Context())
		}
		_, err := c.InsertOne(t.Context(), bson.M{})
		return err
	})
}

func TestUnacknowledgedWritesKeepTheConnectionInStep(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(s.URI()).SetMaxPoolSize(1))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(context.Background())
	db := client.Database("test")
	silent := db.Collection("things", options.Collection().SetWriteConcern(writeconcern.Unacknowledged()))
	for i := range 20 {
		if _, err := silent.InsertOne(t.Context(), bson.M{"_id": i}); err != nil && !errors.Is(err, mongo.ErrUnacknowledgedWrite) {
			t.Fatal(err)
		}
	}
	if n := count(t, db.Collection("things"), bson.M{}); n != 20 {
		t.Errorf("%d of 20 documents", n)
	}
}

func TestManyDocumentsComeInBatches(t *testing.T) {
	t.Parallel()
	things := collection(t)
	docs := make([]any, 1_000)
	for i := range docs {
		docs[i] = bson.M{"_id": i}
	}
	insert(t, things, docs...)
	cursor, err := things.Find(t.Context(), bson.M{}, options.Find().SetBatchSize(100).SetSort(bson.M{"_id": -1}))
	if err != nil {
		t.Fatal(err)
	}
	var got []struct {
		ID int `bson:"_id"`
	}
	if err := cursor.All(t.Context(), &got); err != nil || len(got) != 1_000 || got[0].ID != 999 {
		t.Errorf("%d documents, %v", len(got), err)
	}
}

// dial opens a bare connection to a server.
func dial(t *testing.T, s *embedded.Server) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(s.URI(), "mongodb://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// wire returns a message with the given length and opcode in its header.
func wire(length, opCode int32, body []byte) []byte {
	b := make([]byte, 16, 16+len(body))
	binary.LittleEndian.PutUint32(b, uint32(length))
	binary.LittleEndian.PutUint32(b[12:], uint32(opCode))
	return append(b, body...)
}

// request returns an OP_MSG with a command.
func request(t *testing.T, flags uint32, command bson.D) []byte {
	t.Helper()
	doc, err := bson.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	body := append(binary.LittleEndian.AppendUint32(nil, flags), 0)
	body = append(body, doc...)
	return wire(int32(16+len(body)), 2013, body)
}

func TestMalformedMessagesCloseTheConnection(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	ping := bson.D{{Key: "ping", Value: 1}, {Key: "$db", Value: "admin"}}
	good := request(t, 0, ping)
	for name, message := range map[string][]byte{
		"length below the header":  wire(15, 2013, nil),
		"length zero":              wire(0, 2013, nil),
		"length negative":          wire(-1, 2013, nil),
		"length above the maximum": wire(48_000_001, 2013, nil),
		"no flags":                 wire(16, 2013, nil),
		"no section":               wire(20, 2013, make([]byte, 4)),
		"unknown kind of section":  wire(int32(len(good)), 2013, append([]byte{0, 0, 0, 0, 7}, good[21:]...)),
		"two bodies":               wire(int32(2*len(good)-20), 2013, append(good[16:len(good):len(good)], good[20:]...)),
		"section beyond the end":   wire(26, 2013, []byte{0, 0, 0, 0, 0, 200, 0, 0, 0, 0}),
		"broken document":          wire(int32(len(good)), 2013, append([]byte{0, 0, 0, 0, 0, good[21], 0, 0, 0, 99}, good[26:]...)),
		"empty document":           wire(26, 2013, []byte{0, 0, 0, 0, 0, 5, 0, 0, 0, 0}),
		"legacy insert":            wire(20, 2002, make([]byte, 4)),
		"compressed":               wire(20, 2012, make([]byte, 4)),
		"not MongoDB at all":       []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, s)
			if _, err := conn.Write(message); err != nil {
				t.Fatal(err)
			}
			conn.SetReadDeadline(time.Now().Add(10 * time.Second)) // no close: a failure, not a hang
			if b, err := io.ReadAll(conn); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("an answer: %q, %v", b, err)
			}
		})
	}
	t.Run("the well-formed one is answered", func(t *testing.T) {
		t.Parallel()
		conn := dial(t, s)
		if _, err := conn.Write(good); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 16)); err != nil {
			t.Error(err)
		}
	})
}

func TestHalfClosedConnectionGetsItsAnswer(t *testing.T) {
	t.Parallel()
	conn := dial(t, start(t, t.TempDir()))
	message := request(t, 0, bson.D{{Key: "ping", Value: 1}, {Key: "$db", Value: "admin"}})
	if _, err := conn.Write(append(message, message...)); err != nil { // pipelined, too
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if n := int(binary.LittleEndian.Uint32(b)); len(b) != 2*n {
		t.Errorf("%d bytes of answers of %d each", len(b), n)
	}
}

func TestClientThatLeavesHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	things := connect(t, s).Database("test").Collection("things")
	insert(t, things, bson.M{"_id": "counter", "n": 0})
	inc := request(t, 0, bson.D{
		{Key: "update", Value: "things"},
		{Key: "updates", Value: bson.A{bson.M{"q": bson.M{"_id": "counter"}, "u": bson.M{"$inc": bson.M{"n": 1}}}}},
		{Key: "$db", Value: "test"},
	})
	for range 50 {
		conn := dial(t, s)
		if _, err := conn.Write(inc); err != nil {
			t.Fatal(err)
		}
		conn.SetLinger(0) // leave with a reset, not a farewell
		conn.Close()
	}
	together(t, 50, never, func(int) error {
		_, err := things.UpdateByID(t.Context(), "counter", bson.M{"$inc": bson.M{"n": 1000}})
		return err
	})
	var got struct{ N int }
	if err := things.FindOne(t.Context(), bson.M{"_id": "counter"}).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.N/1000 != 50 {
		t.Errorf("of 50 updates beside clients that left, %d count", got.N/1000)
	}
}
