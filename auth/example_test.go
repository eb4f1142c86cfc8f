package auth_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/signals"
)

func ExampleNew() {
	client, err := mongo.Connect(context.Background(), options.Client().ApplyURI("mongodb://localhost:27017"))
	if err != nil {
		fmt.Println(err)
		return
	}
	users, err := auth.New(client.Database("coglex"), "the value of SERVER_SECRET, 32 bytes or more", &auth.Options{
		Collections: []string{"users"},
		BaseURL:     "https://api.example.com",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range users.Collections() {
		fmt.Println(c.Database, c.Collection)
	}
	// Output:
	// coglex users
	// coglex _USERS
	// coglex _LIMITS
}

// Every mistake is told at once.
func ExampleNew_mistakes() {
	_, err := auth.New(nil, "short", &auth.Options{MaxSessions: -1})
	fmt.Println(err)
	// Output:
	// auth: the database is nil
	// auth: the secret (SERVER_SECRET) has 5 bytes, and needs 32 or more
	// auth: Options.MaxSessions is -1, and must be 1 to 1000
}

// Some handlers for browsers, and a route of one's own.
func ExampleService_Authenticated() {
	var users *auth.Service // from auth.New
	e := echo.New()
	e.POST("/join", users.HandleSignup)
	e.POST("/signin", users.HandleSignin)
	e.POST("/signout", users.HandleSignout)
	e.GET("/me", func(c echo.Context) error {
		user, _ := auth.FromContext(c.Request().Context())
		return c.JSON(http.StatusOK, user)
	}, users.Authenticated())
}

// A test of a handler needs no database to have someone signed in.
func ExampleFromContext() {
	ctx := middleware.NewContext(context.Background(), &auth.User{ID: "1", Key: "ada@example.com"})

	user, ok := auth.FromContext(ctx)
	fmt.Println(user.Key, ok)
	// Output: ada@example.com true
}

// New accounts get a role that no client can set or see.
func ExampleSigningUp() {
	bus := signals.NewBus(nil) // app.Signals()
	signals.Intercept(bus, func(_ context.Context, e *auth.SigningUp) error {
		e.Document = append(e.Document, bson.E{Key: "_role", Value: "guest"})
		return nil
	})

	e := &auth.SigningUp{Key: "ada@example.com"}
	fmt.Println(signals.Ask(context.Background(), bus, e), e.Document)
	// Output: <nil> [{_role guest}]
}
