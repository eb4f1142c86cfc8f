package generation_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/signals"
)

func ExampleNew() {
	var db *mongo.Database // of the gateway
	gen, err := generation.New(db, os.Getenv("GENERATION_KEY"), &generation.Options{
		Model:      "models/gemini-3.5-flash-lite",
		DailyLimit: 1_000_000, // tokens for each user
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var bus *signals.Bus // app.Signals()
	signals.Subscribe(bus, func(_ context.Context, e generation.Generated) error {
		fmt.Println(e.Model, e.Usage.Total, e.Outcome)
		return nil
	})
	_ = gen
}

func ExampleService_Converse() {
	ctx := context.Background()
	gemini, err := generationtest.Start(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = gemini.Close() }()
	gemini.Enqueue(generationtest.Text("Nice to meet you."), generationtest.Text("You said hello."))

	gen, err := generation.New(nil, gemini.Key(), &generation.Options{BaseURL: gemini.URL(), NoAccounts: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = gen.Stop(ctx) }()
	talk := []generation.Content{generation.User(generation.Text("Hello!"))}
	for _, next := range []string{"What did I say?", ""} {
		reply, err := gen.Converse(ctx, generation.Request{Contents: talk, System: "Be brief."})
		if blocked, ok := errors.AsType[*generation.BlockedError](err); ok {
			fmt.Println("refused:", blocked.Reason)
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(reply.Text())
		talk = append(append(talk, reply.History...), generation.User(generation.Text(next)))
	}
	// Output:
	// Nice to meet you.
	// You said hello.
}

func ExampleService_Stream() {
	ctx := context.Background()
	gemini, err := generationtest.Start(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = gemini.Close() }()
	gemini.Enqueue(generationtest.Texts("One, ", "two, ", "three."))

	gen, err := generation.New(nil, gemini.Key(), &generation.Options{BaseURL: gemini.URL(), NoAccounts: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = gen.Stop(ctx) }()
	for chunk, err := range gen.Stream(ctx, generation.Request{Contents: []generation.Content{generation.User(generation.Text("Count."))}}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, part := range chunk.Parts {
			fmt.Print(part.Text())
		}
		if chunk.Usage != nil {
			fmt.Println(" That took", chunk.Usage.Output, "tokens.")
		}
	}
	// Output: One, two, three. That took 6 tokens.
}
