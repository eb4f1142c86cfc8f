// Command gateway is the least that a gateway needs: a MongoDB, two services
// and a route of its own.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/storage"
)

func main() {
	ctx, secret := context.Background(), os.Getenv("SERVER_SECRET")
	client := must(mongo.Connect(ctx, options.Client().ApplyURI(os.Getenv("MONGODB_URI"))))
	users := must(auth.New(client.Database("shop"), secret, nil))
	docs := must(storage.New(client.Database("shop"), nil))
	app := must(coglex.New(secret, &coglex.Options{Users: users}))

	e := echo.New()
	if err := app.Mount(e, users, docs); err != nil {
		log.Fatal(err)
	}
	e.GET("/orders", func(c echo.Context) error {
		user, _ := auth.FromContext(c.Request().Context())
		return c.JSON(http.StatusOK, map[string]any{"orders of": user.Key})
	}, users.Authenticated())

	log.Fatal(app.Run(ctx, e, ":5000"))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
