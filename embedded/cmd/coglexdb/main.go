// Command coglexdb runs the embedded database as a process of its own.
//
//	coglexdb -dir ./data [-addr 127.0.0.1:27017]
//
// When it is ready it prints its connection string, alone on one line, on standard output. Logs go to standard error.
// It ends on SIGINT, on SIGTERM and when its standard input is closed, so that a child never outlives its parent;
// to run it in the background, give it an input that stays open.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/imadelakhaldev/coglex/embedded"
)

// stopTime bounds the end of the program; then connections are cut.
const stopTime = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "coglexdb:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends or stdin is at its end.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("coglexdb", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "folder of the database's `files` (required)")
	addr := flags.String("addr", embedded.DefaultAddr, "`address` to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" || flags.NArg() > 0 {
		return errors.New("usage: coglexdb -dir folder [-addr host:port]")
	}
	server, err := embedded.StartWith(ctx, *dir, &embedded.Options{
		Addr:   *addr,
		Logger: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, server.URI())
	if err == nil {
		wait(ctx, stdin)
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Stop(stopping))
}

// wait returns when ctx ends or stdin is at its end. The goroutine that reads ends with the process.
func wait(ctx context.Context, stdin io.Reader) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, stdin)
	}()
	select {
	case <-ctx.Done():
	case <-closed:
	}
}
