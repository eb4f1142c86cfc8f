package embedded

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// Bounds of a command without maxTimeMS.
const (
	turnTime  = 30 * time.Second // until it is its turn to write, the trial included
	trialTime = 10 * time.Second // for its filters to be tried
)

// write carries out a command that may write, when it is its turn. It is not carried out at all if its time is over
// or ctx ends before: a client that was told so, or that has left, must not find it done later.
func (r *relay) write(ctx context.Context, engine io.ReadWriter, cmd command, m message, buf *bytes.Buffer) (message, error) {
	limited, cancel := context.WithTimeout(ctx, cmd.maxTime(turnTime))
	defer cancel()
	err := try(limited, engine, cmd)
	if err == nil {
		err = r.takeTurn(limited)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return newAnswer(m, expired().document()), nil
	}
	if err != nil {
		return nil, err
	}
	defer r.endTurn()
	narrowed, err := narrow(engine, cmd, m)
	if err != nil {
		return nil, err
	}
	answer, err := ask(engine, narrowed, buf)
	if err != nil {
		return nil, err
	}
	return r.written(ctx, cmd, m, answer), nil
}

// takeTurn waits until no other command that may write is with the engine, or returns the error of ctx.
func (r *relay) takeTurn(ctx context.Context) error {
	select {
	case r.writing <- struct{}{}:
		if ctx.Err() != nil {
			r.endTurn()
		}
	case <-ctx.Done():
	}
	return ctx.Err()
}

func (r *relay) endTurn() { <-r.writing }

func expired() *refusal {
	return &refusal{codeMaxTimeMSExpired, "MaxTimeMSExpired", "operation exceeded time limit"}
}

// ranOut tells whether the engine, which minds maxTimeMS in findAndModify alone among the writes, has ended a command
// for it. It calls that an internal error.
func ranOut(answer bsoncore.Document) bool {
	code, _ := answer.Lookup("code").AsInt64OK()
	text, _ := answer.Lookup("errmsg").StringValueOK()
	return code == codeInternalError && strings.HasSuffix(text, context.DeadlineExceeded.Error())
}

// maxTime is how long the client lets the command take, or the fallback if it does not say.
func (c command) maxTime(fallback time.Duration) time.Duration {
	const most = 1<<31 - 1 // as in MongoDB
	ms, _ := c.body.Lookup("maxTimeMS").AsInt64OK()
	if ms <= 0 || ms > most {
		return fallback
	}
	return time.Duration(ms) * time.Millisecond
}

// try runs the filters of a command that writes as a read before it is its turn. The engine bounds the time of reads
// only: a filter that takes minutes would stop all writes for as long. The error is context.DeadlineExceeded if they
// take too long. Of any other fault the command itself tells.
func try(ctx context.Context, engine io.ReadWriter, cmd command) error {
	ctx, cancel := context.WithTimeout(ctx, cmd.maxTime(trialTime))
	defer cancel()
	for _, filter := range cmd.writeFilters() {
		if isCheap(filter) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		end, _ := ctx.Deadline()
		body := cmd.pipeline(append(matchStages(filter), countStage())).
			AppendInt64("maxTimeMS", max(1, time.Until(end).Milliseconds())).
			Build()
		answer, err := ask(engine, newMessage(body), new(bytes.Buffer))
		if err != nil {
			return err
		}
		body, _ = answerBody(answer)
		if code, _ := body.Lookup("code").AsInt64OK(); code == codeMaxTimeMSExpired {
			return context.DeadlineExceeded
		}
	}
	return ctx.Err()
}

// writeFilters returns the filters that tell what a command changes.
func (c command) writeFilters() []bsoncore.Document {
	var filters []bsoncore.Document
	add := func(statement bsoncore.Document, name string) {
		if filter, ok := statement.Lookup(name).DocumentOK(); ok {
			filters = append(filters, filter)
		}
	}
	switch c.name {
	case "findAndModify", "findandmodify":
		add(c.body, "query")
	case "update", "delete":
		for _, statement := range c.list(c.name + "s") { // "updates", "deletes"
			add(statement, "q")
		}
	}
	return filters
}

// isCheap tells whether a filter is one by _id that asks no more of the document than to have some plain values.
func isCheap(filter bsoncore.Document) bool {
	if !hasIndexedID(filter) {
		return len(filter) == emptyLen // all documents, none of which is looked into
	}
	elements, _ := filter.Elements()
	for _, e := range elements {
		switch e.Value().Type {
		case bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeRegex:
			return false
		default:
		}
	}
	return true
}

func countStage() bsoncore.Document {
	return bsoncore.NewDocumentBuilder().AppendString("$count", "n").Build()
}
