// Command gateway is the least that a gateway needs: a MongoDB, two services
// and a route of its own.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/storage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	secret := os.Getenv("SERVER_SECRET")
	opts := options.Client().ApplyURI(os.Getenv("MONGODB_URI")).SetServerSelectionTimeout(2 * time.Second)
	db := must(mongo.Connect(ctx, opts)).Database("shop")
	users := must(auth.New(db, secret, nil))
	docs := must(storage.New(db, nil))
	app := must(coglex.New(secret, &coglex.Options{Users: users}))

	e := echo.New()
	e.Use(app.Errors()) // handlers may return the errors of services
	check(app.Mount(e, users, docs))
	e.GET("/orders", func(c echo.Context) error {
		user, _ := auth.FromContext(c.Request().Context())
		return c.JSON(http.StatusOK, map[string]string{"orders of": user.Key})
	}, users.Authenticated())

	check(app.Run(ctx, e, ":5000"))
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
