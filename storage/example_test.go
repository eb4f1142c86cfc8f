package storage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/storage"
)

// database is that of the examples. They are compiled, and not run.
func database(ctx context.Context) (*mongo.Database, error) {
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		return nil, err
	}
	return client.Database("coglex"), nil
}

func ExampleNew() {
	ctx := context.Background()
	db, err := database(ctx)
	if err != nil {
		panic(err)
	}
	docs, err := storage.New(db, nil)
	if err != nil {
		panic(err)
	}
	ids, err := docs.Insert(ctx, "posts", bson.M{"title": "One", "likes": 0})
	if err != nil {
		panic(err)
	}
	post, err := docs.PatchOne(ctx, "posts", bson.M{"_id": ids[0]}, bson.M{"$inc": bson.M{"likes": 1}})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		fmt.Println("somebody deleted it")
	case err == nil:
		fmt.Println(post.Lookup("likes"))
	}
}

// A whole gateway for servers that hold the API key.
func ExampleService_Routes() {
	ctx := context.Background()
	db, err := database(ctx)
	if err != nil {
		panic(err)
	}
	docs, err := storage.New(db, nil)
	if err != nil {
		panic(err)
	}
	app, err := coglex.New(os.Getenv("SERVER_SECRET"), nil)
	if err != nil {
		panic(err)
	}
	e := echo.New()
	if err := app.Mount(e, docs); err != nil {
		panic(err)
	}
	if err := app.Run(ctx, e, ":5000"); err != nil {
		panic(err)
	}
}

// Signed-in users read and write their own notes, without the API key.
func ExampleScopeFunc() {
	db, err := database(context.Background())
	if err != nil {
		panic(err)
	}
	docs, err := storage.New(db, &storage.Options{
		Scope: func(ctx context.Context, _ storage.Op) (bson.D, error) {
			user, ok := middleware.FromContext(ctx)
			if !ok {
				return nil, middleware.Unauthenticated()
			}
			return bson.D{{Key: "owner", Value: user.UserID()}}, nil
		},
	})
	if err != nil {
		panic(err)
	}
	var users middleware.Authenticator // an *auth.Service
	e := echo.New()
	e.GET("/my/:collection", docs.HandleFind, middleware.Authenticated(users))
	e.POST("/my/:collection", docs.HandleInsert, middleware.Authenticated(users))
}

// An interceptor refuses what the gateway does not want, in its own words.
func ExampleInserting() {
	bus := signals.NewBus(nil) // app.Signals()
	signals.Intercept(bus, func(_ context.Context, e *storage.Inserting) error {
		for _, doc := range e.Documents {
			if _, err := doc.LookupErr("title"); e.Collection == "posts" && err != nil {
				return &service.Problem{Status: http.StatusUnprocessableEntity, Code: "title_missing", Detail: "A post has a title."}
			}
		}
		return nil
	})
	signals.Subscribe(bus, func(ctx context.Context, e storage.Inserted) error {
		slog.InfoContext(ctx, "inserted", "collection", e.Collection, "ids", e.IDs)
		return nil
	})
}

// Export reads a collection of any size in constant memory.
func ExampleService_Export() {
	ctx := context.Background()
	db, err := database(ctx)
	if err != nil {
		panic(err)
	}
	docs, err := storage.New(db, nil)
	if err != nil {
		panic(err)
	}
	for doc, err := range docs.Export(ctx, "posts", bson.M{"likes": bson.M{"$gt": 10}}, nil) {
		if err != nil {
			panic(err)
		}
		fmt.Println(doc.Lookup("title"))
	}
}
