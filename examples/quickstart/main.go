// Command quickstart is a whole gateway in one command: it signs users up and
// in, stores documents and files, takes money, talks with Gemini, offers
// functions, and has routes of its own. With nothing set it runs on the embedded
// database, with stand-ins for Stripe and Gemini; .env.example lists what can be
// set.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
)

// stopTimeout bounds what is left to do once requests have ended.
const stopTimeout = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	log := newLogger(c.Debug)
	made := c.Secret == ""
	if made {
		c.Secret = rand.Text() + rand.Text()
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	if err != nil {
		return fmt.Errorf("SERVER_HOST and SERVER_PORT: %w", err)
	}
	defer l.Close() //nolint:errcheck // closed by Serve already, or never served

	db, err := openDatabase(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, db.close(closing))
	}()

	vendors, c, err := openStandIns(ctx, c, address(l))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vendors.close()) }()

	e := echo.New()
	app, err := newGateway(e, db.client.Database(c.Database), c, log)
	if err != nil {
		return err
	}
	if err := app.Start(ctx); err != nil {
		return errors.Join(err, stopApp(ctx, app))
	}
	announce(os.Stdout, app, vendors, address(l), db.where, c.Secret, made)
	log.InfoContext(ctx, "listening", slog.String("address", l.Addr().String()))
	defer context.AfterFunc(ctx, func() { log.Info("stopping: requests in flight may end; a second signal stops at once") })()
	err = app.Serve(ctx, e, l)
	log.InfoContext(ctx, "stopped")
	return err
}

// address returns where this machine reaches the listener.
func address(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return "http://" + l.Addr().String()
}

// stopApp stops what a failed start left running.
func stopApp(ctx context.Context, app *coglex.App) error {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return app.Stop(stopping)
}
