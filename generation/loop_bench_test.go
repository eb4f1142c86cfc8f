package generation_test

import (
	"context"
	"testing"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
)

// BenchmarkFunctions is a conversation of two calls of Gemini with two calls of a
// function between them; one call without functions is what to compare it with.
func BenchmarkFunctions(b *testing.B) {
	gemini := newGemini(b, &generationtest.Options{Keep: -1})
	gen := newService(b, gemini.Key(), &generation.Options{BaseURL: gemini.URL(), NoAccounts: true})
	prompt := []generation.Content{generation.User(generation.Text("How is the weather in Paris and Rome?"))}
	for name, r := range map[string]generation.Request{
		"two":  {Contents: prompt, Toolset: tools{"getWeather": weather}},
		"none": {Contents: prompt},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gen.Converse(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAccounts is one call of Gemini, whose usage is recorded, and which is
// checked against a limit.
func BenchmarkAccounts(b *testing.B) {
	gemini := newGemini(b, &generationtest.Options{Keep: -1})
	db := dbtest.Database(b)
	ctx := middleware.NewContext(b.Context(), person{"ada", "_USERS"})
	for name, o := range map[string]generation.Options{
		"off": {NoAccounts: true}, "kept": {}, "limited": {DailyLimit: 1 << 60},
	} {
		b.Run(name, func(b *testing.B) {
			o.BaseURL = gemini.URL()
			gen, err := generation.New(db, gemini.Key(), &o)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = gen.Stop(context.Background()) })
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gen.Converse(ctx, ask(nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
