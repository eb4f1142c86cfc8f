package generation_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/generation"
)

func TestAllMistakesComeBackAtOnce(t *testing.T) {
	t.Parallel()
	_, err := generation.New(nil, "two words", &generation.Options{
		Model: "../x", EmbeddingModel: "a b", BaseURL: "ftp://user:hidden@host/path", DailyLimit: -1, Timeout: -1, StreamTimeout: -1, Attempts: -1, RetryWait: -1,
		Heartbeat: -1, Uploads: -1, MaxUploadBytes: -1, BodyLimit: -1, MaxRounds: -1, ServerTools: []string{"google_search", "functionDeclarations", ""},
	})
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, want := range []string{
		"Options.Model ", "EmbeddingModel", "BaseURL", "DailyLimit", "Options.Timeout", "StreamTimeout", "Attempts", "RetryWait", "Heartbeat", "Options.Uploads", "MaxUploadBytes", "BodyLimit",
		"MaxRounds", "ServerTools[0]", "ServerTools[1]", "ServerTools[2]", "the database is nil", "the key",
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
	gen := newService(t, "k", &generation.Options{NoAccounts: true, BaseURL: "http://127.0.0.1:1", Attempts: 2})
	began := time.Now()
	if _, err := gen.Converse(t.Context(), user("hi")); err == nil || time.Since(began) < 200*time.Millisecond {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer cancel()
	gen = newService(t, "k", &generation.Options{NoAccounts: true, BaseURL: "http://127.0.0.1:1", Attempts: 100, RetryWait: time.Hour})
	if _, err := gen.Converse(ctx, user("hi")); err == nil {
		t.Error("there is an answer")
	}
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
