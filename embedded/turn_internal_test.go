package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// slowEngine stands in the engine's place: it tells which commands come, and answers each when it is told to.
type slowEngine struct {
	seen    chan command
	answers chan bson.M
}

func (e *slowEngine) dial(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		var buf bytes.Buffer
		for {
			m, err := readMessage(far, &buf)
			if err != nil {
				return
			}
			cmd, _ := parseCommand(message(bytes.Clone(m)))
			e.seen <- cmd
			doc, _ := bson.Marshal(<-e.answers)
			if _, err := far.Write(newAnswer(m, doc)); err != nil {
				return
			}
		}
	}()
	return near, nil
}

// newSlowEngine makes an engine and a relay before it, for a test in whose bubble time passes at once. The function
// opens a client's connection.
func newSlowEngine(t *testing.T) (*slowEngine, func() net.Conn) {
	t.Helper()
	e := &slowEngine{seen: make(chan command, 10), answers: make(chan bson.M)}
	r := newRelay(nil, e.dial, "", slog.New(slog.DiscardHandler))
	t.Cleanup(r.wait)
	return e, func() net.Conn {
		client, conn := net.Pipe()
		r.wg.Go(func() { r.serve(t.Context(), conn) })
		t.Cleanup(func() { client.Close() })
		return client
	}
}

// send sends a command, and is back when everybody waits for something.
func send(t *testing.T, client net.Conn, flags uint32, cmd bson.D) {
	t.Helper()
	doc, err := bson.Marshal(append(cmd, bson.E{Key: "$db", Value: "test"}))
	if err != nil {
		t.Fatal(err)
	}
	m := newMessage(doc)
	binary.LittleEndian.PutUint32(m[headerLen:], flags)
	if _, err := client.Write(m); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// answer returns the next answer to a client.
func answer(t *testing.T, client net.Conn) bsoncore.Document {
	t.Helper()
	m, err := readMessage(client, new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := answerBody(m)
	return body
}

func codeIn(body bsoncore.Document) int64 {
	code, _ := body.Lookup("code").AsInt64OK()
	return code
}

func drop(collection string, more ...bson.E) bson.D {
	return append(bson.D{{Key: "drop", Value: collection}}, more...)
}

// wantSeen fails unless these and no other commands have come to the engine, told by their collections.
func (e *slowEngine) wantSeen(t *testing.T, collections ...string) {
	t.Helper()
	synctest.Wait()
	for _, want := range collections {
		select {
		case cmd := <-e.seen:
			if cmd.coll != want {
				t.Errorf("the engine got %s of %s, want %s", cmd.name, cmd.coll, want)
			}
		default:
			t.Errorf("the engine did not get %s", want)
		}
	}
	select {
	case cmd := <-e.seen:
		t.Errorf("the engine got %s of %s", cmd.name, cmd.coll)
	default:
	}
}

func TestWaitingForTheTurnEnds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		more []bson.E
		want time.Duration
	}{
		"at maxTimeMS":      {[]bson.E{{Key: "maxTimeMS", Value: 200}}, 200 * time.Millisecond},
		"without maxTimeMS": {nil, turnTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, connect := newSlowEngine(t)
				first, second := connect(), connect()
				send(t, first, 0, drop("first"))
				begin := time.Now()
				send(t, second, 0, drop("second", row.more...))
				if code := codeIn(answer(t, second)); code != 50 || time.Since(begin) != row.want {
					t.Errorf("code %d after %v, want %v", code, time.Since(begin), row.want)
				}
				e.answers <- bson.M{"ok": 1}
				answer(t, first)
				e.wantSeen(t, "first")

				send(t, second, 0, drop("third")) // the connection still serves, and so does the turn
				e.answers <- bson.M{"ok": 1}
				answer(t, second)
				e.wantSeen(t, "third")
			})
		})
	}
}

func TestWhoLeavesBeforeTheTurnIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, connect := newSlowEngine(t)
		first, gone, silent, last := connect(), connect(), connect(), connect()
		send(t, first, 0, drop("first"))
		send(t, gone, 0, drop("gone"))
		gone.Close()
		send(t, silent, flagMoreToCome, drop("silent")) // asks for no answer, so need not stay
		silent.Close()
		synctest.Wait()
		send(t, last, 0, drop("last"))
		for range 3 {
			e.answers <- bson.M{"ok": 1}
			synctest.Wait()
		}
		answer(t, first)
		answer(t, last)
		e.wantSeen(t, "first", "silent", "last")
	})
}

// A filter that takes too long is found out by a read, without the turn, and the write is not sent.
func TestFiltersAreTriedBeforeTheTurn(t *testing.T) {
	t.Parallel()
	slow := bson.M{"t": bson.M{"$regex": "x"}}
	byID := func(more bson.M) bson.D {
		q := bson.D{{Key: "_id", Value: "a"}}
		for k, v := range more {
			q = append(q, bson.E{Key: k, Value: v})
		}
		return q
	}
	update := func(filters ...any) bson.D {
		var updates bson.A
		for _, q := range filters {
			updates = append(updates, bson.M{"q": q, "u": bson.M{"$set": bson.M{"a": 1}}})
		}
		return bson.D{{Key: "update", Value: "c"}, {Key: "updates", Value: updates}}
	}
	for name, row := range map[string]struct {
		command bson.D
		limit   int64
	}{
		"update":               {append(update(slow), bson.E{Key: "maxTimeMS", Value: 500}), 500},
		"without maxTimeMS":    {update(slow), trialTime.Milliseconds()},
		"second statement":     {update(bson.M{}, slow), trialTime.Milliseconds()},
		"_id and a slow field": {update(byID(slow)), trialTime.Milliseconds()},
		"_id and $or":          {update(byID(bson.M{"$or": bson.A{slow}})), trialTime.Milliseconds()},
		"_id by operator":      {update(bson.M{"_id": bson.M{"$regex": "x"}}), trialTime.Milliseconds()},
		"delete":               {bson.D{{Key: "delete", Value: "c"}, {Key: "deletes", Value: bson.A{bson.M{"q": slow, "limit": 0}}}}, trialTime.Milliseconds()},
		"findAndModify":        {bson.D{{Key: "findAndModify", Value: "c"}, {Key: "query", Value: slow}, {Key: "remove", Value: true}}, trialTime.Milliseconds()},
		"_id alone":            {update(byID(nil)), 0},
		"everything":           {update(bson.M{}), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, connect := newSlowEngine(t)
				client, other := connect(), connect()
				send(t, client, 0, row.command)
				cmd := <-e.seen
				if limit, _ := cmd.body.Lookup("maxTimeMS").AsInt64OK(); (cmd.name == "aggregate") != (row.limit > 0) || limit != row.limit {
					t.Errorf("the engine got %s", cmd.body)
				}
				if row.limit == 0 {
					e.answers <- bson.M{"ok": 1}
					answer(t, client)
					return
				}
				send(t, other, 0, drop("other"))
				e.wantSeen(t, "other") // while the filter is tried
				e.answers <- bson.M{"ok": 0, "code": 50}
				e.answers <- bson.M{"ok": 0, "code": 50}
				if code := codeIn(answer(t, client)); code != 50 {
					t.Errorf("code %d", code)
				}
				answer(t, other)
				e.wantSeen(t)
			})
		})
	}
}
