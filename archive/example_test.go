package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
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
	files, err := archive.New(db, archive.Disk("uploads"), nil)
	if err != nil {
		panic(err)
	}
	report, err := files.Put(ctx, "report.csv", strings.NewReader("a,b\n1,2\n"), &archive.PutOptions{Metadata: bson.M{"year": 2026}})
	if err != nil {
		panic(err)
	}
	download, err := files.Open(ctx, report.ID)
	if errors.Is(err, archive.ErrNotFound) {
		fmt.Println("somebody deleted it")
		return
	}
	if err != nil {
		panic(err)
	}
	defer download.Close()
	if _, err := io.Copy(os.Stdout, download); err != nil {
		panic(err)
	}
}

// A whole gateway for servers that hold the API key, with links and tickets for
// browsers that do not.
func ExampleService_Routes() {
	ctx := context.Background()
	db, err := database(ctx)
	if err != nil {
		panic(err)
	}
	key := os.Getenv("SERVER_SECRET")
	files, err := archive.New(db, archive.Disk("uploads"), &archive.Options{Secret: key, MaxBytes: 10 << 30})
	if err != nil {
		panic(err)
	}
	app, err := coglex.New(key, &coglex.Options{BaseURL: "https://api.example.com"})
	if err != nil {
		panic(err)
	}
	e := echo.New()
	if err := app.Mount(e, files); err != nil {
		panic(err)
	}
	if err := app.Run(ctx, e, ":5000"); err != nil {
		panic(err)
	}
}

// Signed-in users get tickets for pictures of their own, and nobody else's files.
func ExampleService_Ticket() {
	ctx := context.Background()
	db, err := database(ctx)
	if err != nil {
		panic(err)
	}
	files, err := archive.New(db, archive.Disk("uploads"), &archive.Options{Secret: os.Getenv("SERVER_SECRET")})
	if err != nil {
		panic(err)
	}
	e := echo.New()
	// To be guarded by app.Authenticated().
	e.POST("/pictures", func(c echo.Context) error {
		user, ok := middleware.FromContext(c.Request().Context())
		if !ok {
			return middleware.Unauthenticated()
		}
		ticket, err := files.Ticket(c.Request().Context(), &archive.TicketOptions{
			Collection: "pictures", MaxBytes: 5 << 20, Types: []string{"image/*"}, Metadata: bson.M{"owner": user.UserID()},
		})
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, ticket)
	})
}

// Files of a user are for that user, and for those who got a link from that user.
func ExampleDownloading() {
	bus := signals.NewBus(nil) // that of the App: app.Signals()
	signals.Intercept(bus, func(ctx context.Context, e *archive.Downloading) error {
		if e.Link {
			return nil // this was asked when the link was made
		}
		user, ok := middleware.FromContext(ctx)
		if owner, set := e.File.Metadata.Lookup("owner").StringValueOK(); ok && set && owner == user.UserID() {
			return nil
		}
		return &service.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "There is no such file."}
	})
}
