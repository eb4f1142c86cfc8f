package storage_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/mongo/driver/wiremessage"

	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

// scripted returns a database that answers each command, by its name, with the
// same words.
func scripted(t *testing.T, replies map[string]bson.D) *mongo.Database {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerAll(conn, replies)
		}
	}()
	// With an API version the handshake is an OP_MSG as everything else is.
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI("mongodb://"+listener.Addr().String()+"/?directConnection=true").
		SetServerAPIOptions(options.ServerAPI(options.ServerAPIVersion1)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Disconnect(context.WithoutCancel(t.Context()))
		_ = listener.Close()
	})
	return client.Database("test")
}

// answerAll serves one connection until it is closed.
func answerAll(conn net.Conn, replies map[string]bson.D) {
	defer conn.Close()
	for {
		header := make([]byte, 21) // and the flags and the kind of the first section
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		command := make([]byte, binary.LittleEndian.Uint32(header)-21)
		if _, err := io.ReadFull(conn, command); err != nil {
			return
		}
		first, err := bson.Raw(command).IndexErr(0)
		if err != nil {
			return
		}
		reply, ok := replies[first.Key()]
		if !ok {
			reply = bson.D{{Key: "ok", Value: 1}, {Key: "helloOk", Value: true}, {Key: "isWritablePrimary", Value: true}, {Key: "maxWireVersion", Value: 21}}
		}
		body, err := bson.Marshal(reply)
		if err != nil {
			return
		}
		start, message := wiremessage.AppendHeaderStart(nil, 1, int32(binary.LittleEndian.Uint32(header[4:])), wiremessage.OpMsg)
		message = append(wiremessage.AppendMsgFlags(message, 0), 0)
		message = append(message, body...)
		binary.LittleEndian.PutUint32(message[start:], uint32(len(message)))
		if _, err := conn.Write(message); err != nil {
			return
		}
	}
}

// What a write did until it failed stays done: it is told.
func TestAWriteOfManyThatFailsMidwayTellsWhatItDid(t *testing.T) {
	t.Parallel()
	refusal := bson.E{Key: "writeErrors", Value: bson.A{bson.D{{Key: "index", Value: 0}, {Key: "code", Value: 14}, {Key: "errmsg", Value: "a value"}}}}
	g := newGatewayOn(t, scripted(t, map[string]bson.D{
		"update": {{Key: "ok", Value: 1}, {Key: "n", Value: 3}, {Key: "nModified", Value: 2}, refusal},
		"delete": {{Key: "ok", Value: 1}, {Key: "n", Value: 4}, refusal},
		"find":   {{Key: "ok", Value: 0}, {Key: "code", Value: 2}},
	}), nil)
	events := signalstest.RecordAll(t, g.app.Signals())
	g.do("PATCH", "/things", `{"document": {"$inc": {"a": {"$numberInt": "1"}}}, "query": {}}`).refused(400, "invalid", `"matched":3,"modified":2`)
	g.do("DELETE", "/things?query={}", "").refused(400, "invalid", `"deleted":4`)
	if n, err := g.docs.DeleteMany(t.Context(), "things", bson.D{}); n != 4 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	var told []string
	for _, e := range events.Events() {
		told = append(told, brief(e))
	}
	const deleted = `deleted things {} {"id":null,"n":4}`
	if diff := cmp.Diff([]string{`patched things {} {"$inc": {"a": {"$numberInt":"1"}}} {"id":null,"n":3,"m":2}`, deleted, deleted}, told); diff != "" {
		t.Error(diff)
	}
}
