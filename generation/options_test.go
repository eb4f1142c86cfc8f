package generation_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imadelakhaldev/coglex/generation"
)

func TestAllMistakesComeBackAtOnce(t *testing.T) {
	t.Parallel()
	_, err := generation.New(nil, "two words", &generation.Options{
		Model: "../x", EmbeddingModel: "a b", BaseURL: "ftp://user:hidden@host/path", DailyLimit: -1, Timeout: -1, StreamTimeout: -1, Attempts: -1, RetryWait: -1,
		Heartbeat: -1, Uploads: -1, MaxUploadBytes: -1, BodyLimit: -1, MaxRounds: -1, ServerTools: []string{"google_search", "functionDeclarations", ""},
		Toolset: named("get weather"),
	})
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, want := range []string{
		"Options.Model ", "EmbeddingModel", "BaseURL", "DailyLimit", "Options.Timeout", "StreamTimeout", "Attempts", "RetryWait", "Heartbeat", "Options.Uploads", "MaxUploadBytes", "BodyLimit",
		"MaxRounds", "ServerTools[0]", "ServerTools[1]", "ServerTools[2]", `Options.Toolset has a function "get weather"`, "the database is nil", "the key",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in %v", want, err)
		}
	}
	for _, hidden := range []string{"two words", "hidden"} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("a secret is in %v", err)
		}
	}
}

func TestBaseURLs(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"https://gemini.example": true, "https://gemini.example/": true, "http://127.0.0.1:8080": true, "http://[::1]:80": true,
		"gemini.example": false, "//gemini.example": false, "https://": false, "https://a/b": false, "https://a?b": false, "https://a?": false, "https://a#b": false, "https://u@a": false,
		"https:a": false, "ws://a": false, "https://a b": false, "\x00": false,
	} {
		if _, err := generation.New(nil, "k", &generation.Options{NoAccounts: true, BaseURL: url}); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := generation.New(nil, "k", &generation.Options{NoAccounts: true, MaxUploadBytes: generation.MaxFileBytes + 1}); err == nil {
		t.Error("a file may be larger than Gemini takes")
	}
	if _, err := generation.New(nil, "k", &generation.Options{NoAccounts: true, DailyLimit: 1}); err == nil {
		t.Error("there is a limit without accounts")
	}
}

func TestTheDefaultSleepWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opts := &generation.Options{NoAccounts: true, HTTPClient: &http.Client{Transport: broken{errors.New("away")}}, Attempts: 2}
		began := time.Now()
		if _, err := newService(t, "k", opts).Converse(t.Context(), user("hi")); err == nil || time.Since(began) < 200*time.Millisecond {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		opts.Attempts = 100
		began = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute+time.Millisecond, cancel)
		if _, err := newService(t, "k", opts).Converse(ctx, user("hi")); !errors.Is(err, context.Canceled) || time.Since(began) != time.Minute+time.Millisecond {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestAServiceCanBeStoppedAnyTime(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for range 2 {
		if err := g.gen.Start(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := g.gen.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	g.converse("hi", "").want(200)
	if err := g.gen.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if g.gen.Name() != "generation" || len(g.gen.Collections()) != 0 {
		t.Errorf("%s has %v", g.gen.Name(), g.gen.Collections())
	}
}
