package auth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// BenchmarkAuthenticated compares a guarded route with one whose handler does the
// same by hand: it verifies the token, reads the user by _id, and answers.
func BenchmarkAuthenticated(b *testing.B) {
	key := strings.Repeat("k", auth.MinSecretBytes)
	o := fast()
	o.SigningKey = key
	db := dbtest.Database(b)
	users := newServiceB(b, db, o)
	ctx := b.Context()
	document := bson.M{"name": "Ada Lovelace", "born": 1815, "tags": bson.A{"a", "b"}, "address": bson.M{"city": "London"}}
	if _, err := users.SignUp(ctx, auth.Account{Key: "ada@example.com", Password: pass, Document: document}); err != nil {
		b.Fatal(err)
	}
	grant, err := users.SignIn(ctx, auth.Credentials{Key: "ada@example.com", Password: pass})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	e.GET("/ours", func(c echo.Context) error {
		u, _ := auth.FromContext(c.Request().Context())
		return c.String(http.StatusOK, u.Key)
	}, users.Authenticated())
	e.GET("/by-hand", byHand(db.Collection(auth.DefaultCollection), []byte(key)))
	for _, name := range []string{"ours", "by-hand"} {
		b.Run(name, func(b *testing.B) {
			req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/"+name, http.NoBody)
			req.Header.Set("Authorization", "Bearer "+grant.AccessToken)
			b.ReportAllocs()
			for b.Loop() {
				rec := httptest.NewRecorder()
				e.ServeHTTP(rec, req)
				if rec.Code != http.StatusOK || rec.Body.String() != "ada@example.com" {
					b.Fatal(rec.Code, rec.Body)
				}
			}
		})
	}
}

// byHand is what one writes without a framework.
func byHand(users *mongo.Collection, key []byte) echo.HandlerFunc {
	return func(c echo.Context) error {
		text := strings.TrimPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return key, nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(newClock().Now))
		if err != nil {
			return echo.ErrUnauthorized
		}
		var user bson.M
		if err := users.FindOne(c.Request().Context(), bson.M{"_id": claims["sub"]}).Decode(&user); err != nil {
			return echo.ErrUnauthorized
		}
		return c.String(http.StatusOK, user["_key"].(string))
	}
}
