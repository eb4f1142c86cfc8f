// Command archivegateway is a gateway with nothing but an archive on disk, for
// tests that kill it. It sweeps before it serves, and prints the report of the
// sweep as JSON in a line and its URL in another.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/archive"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "archivegateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		return err
	}
	secret := os.Getenv("SERVER_SECRET")
	files, err := archive.New(client.Database("coglex"), archive.Disk(os.Getenv("UPLOAD_FOLDER")), &archive.Options{
		Secret: secret, SweepEvery: -1, // this one does it itself, before anybody comes
	})
	if err != nil {
		return err
	}
	e := echo.New()
	app, err := coglex.New(secret, nil)
	if err != nil {
		return err
	}
	if err := app.Mount(e, files); err != nil { //nolint:contextcheck // it follows middlewares that are built, not run, here
		return err
	}
	if err := app.Start(ctx); err != nil {
		return err
	}
	report, err := files.Sweep(ctx, &archive.SweepOptions{Grace: -1, Force: true})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	return app.Serve(ctx, e, l)
}
