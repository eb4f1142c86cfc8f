package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"net/http"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

const signingKey = "a-signing-key-that-is-long-enough-1234567"

// sign makes a JWT of any header and claims.
func sign(t *testing.T, key string, newHash func() hash.Hash, header, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := part(header) + "." + part(claims)
	if newHash == nil {
		return text + "."
	}
	mac := hmac.New(newHash, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestForgedAccessTokens(t *testing.T) {
	t.Parallel()
	o := fast()
	o.SigningKey = signingKey
	o.Collections = []string{"_USERS", "staff"}
	g := newGateway(t, o)
	g.signup("ada")
	in := g.signin("ada")
	genuine := claims(t, in.access)
	hs256 := map[string]any{"alg": "HS256", "typ": "JWT"}
	with := func(changes map[string]any) map[string]any {
		c := map[string]any{}
		for name, value := range genuine {
			c[name] = value
		}
		for name, value := range changes {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
		return c
	}
	// The forger's own work is good: this one is accepted.
	g.want(request{method: http.MethodGet, path: "/me", bearer: sign(t, signingKey, sha256.New, hs256, with(nil))}, http.StatusOK, "")

	now := g.clock.Now()
	parts := strings.Split(in.access, ".")
	tests := map[string]struct {
		token string
		code  string // token_invalid unless given
	}{
		"alg none":                  {token: sign(t, "", nil, map[string]any{"alg": "none", "typ": "JWT"}, with(nil))},
		"alg None":                  {token: sign(t, "", nil, map[string]any{"alg": "None", "typ": "JWT"}, with(nil))},
		"alg none with a MAC":       {token: sign(t, signingKey, sha256.New, map[string]any{"alg": "none", "typ": "JWT"}, with(nil))},
		"no alg":                    {token: sign(t, signingKey, sha256.New, map[string]any{"typ": "JWT"}, with(nil))},
		"HS512":                     {token: sign(t, signingKey, sha512.New, map[string]any{"alg": "HS512", "typ": "JWT"}, with(nil))},
		"RS256 in name":             {token: sign(t, signingKey, sha256.New, map[string]any{"alg": "RS256", "typ": "JWT"}, with(nil))},
		"kid":                       {token: sign(t, signingKey, sha256.New, map[string]any{"alg": "HS256", "typ": "JWT", "kid": "../../dev/null"}, with(nil))},
		"no MAC":                    {token: parts[0] + "." + parts[1] + "."},
		"two parts":                 {token: parts[0] + "." + parts[1]},
		"four parts":                {token: in.access + ".x"},
		"MAC in another spelling":   {token: in.access + "="},
		"changed claims":            {token: parts[0] + "." + strings.ToUpper(parts[1][:1]) + parts[1][1:] + "." + parts[2]},
		"key is the API key":        {token: sign(t, apiKey, sha256.New, hs256, with(nil))},
		"key is the secret":         {token: sign(t, secret, sha256.New, hs256, with(nil))},
		"key is empty":              {token: sign(t, "", sha256.New, hs256, with(nil))},
		"key is foreign":            {token: sign(t, strings.Repeat("x", 40), sha256.New, hs256, with(nil))},
		"of kind cookie":            {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"typ": "cookie"}))},
		"of kind refresh":           {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"typ": "refresh"}))},
		"of no kind":                {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"typ": nil}))},
		"no expiry":                 {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"exp": nil}))},
		"expiry as text":            {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"exp": "9999999999"}))},
		"expired":                   {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"iat": now.Unix() - 3600, "exp": now.Unix()})), code: "token_expired"},
		"issued in the future":      {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"iat": now.Unix() + 3600, "exp": now.Unix() + 7200}))},
		"another issuer":            {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"iss": "evil"}))},
		"unlisted collection":       {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"col": "posts"}))},
		"collection as operator":    {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"col": map[string]any{"$ne": 1}}))},
		"subject as operator":       {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sub": map[string]any{"$ne": 1}}))},
		"session as a path":         {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sid": "x.y"}))},
		"session as an operator":    {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sid": "$where"}))},
		"no session":                {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sid": ""}))},
		"malformed ObjectId":        {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sub": "oid:x"}))},
		"malformed BSON":            {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sub": "bson:AwAAAAA"}))},
		"an extra claim":            {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"admin": true}))},
		"another's session":         {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sid": strings.Repeat("A", 26)})), code: "session_expired"},
		"another user":              {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sub": "5f0000000000000000000001"})), code: "session_expired"},
		"same user, another's type": {token: sign(t, signingKey, sha256.New, hs256, with(map[string]any{"sub": "bson:EAEAAAA"})), code: "session_expired"},
		"garbage":                   {token: "garbage"},
		"very long":                 {token: strings.Repeat("a.", 4000)},
	}
	for name, test := range tests {
		if test.code == "" {
			test.code = "token_invalid"
		}
		for _, path := range []string{"/me", "/maybe", "/who", prefix + "/session"} {
			a := g.do(request{method: http.MethodGet, path: path, key: true, bearer: test.token})
			if a.status != http.StatusUnauthorized || a.code() != test.code {
				t.Errorf("%s at %s: %d %q, want 401 %q", name, path, a.status, a.code(), test.code)
			}
		}
		// Nor is any of them good as a cookie.
		if a := g.do(request{method: http.MethodGet, path: "/who", header: map[string]string{"Cookie": "coglex-_USERS=" + test.token}}); a.status != http.StatusUnauthorized {
			t.Errorf("%s as a cookie: %d", name, a.status)
		}
	}
	// The same user and session, but the token says that they live elsewhere.
	other := sign(t, signingKey, sha256.New, hs256, with(map[string]any{"col": "staff"}))
	g.want(request{method: http.MethodGet, path: "/who", bearer: other}, http.StatusUnauthorized, "session_expired")
}

func TestSigningKeyRotation(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	first := fast()
	first.SigningKey = signingKey
	g := newGatewayOn(t, db, first)
	g.signup("ada")
	in := g.signin("ada")

	second := fast()
	second.SigningKey, second.OldSigningKeys = signingKey+"2", []string{signingKey}
	later := newGatewayOn(t, db, second)
	if !later.isIn(in.access) {
		t.Error("a token of the old key is refused")
	}
	later.want(request{method: http.MethodGet, path: "/me", cookie: in.cookie}, http.StatusOK, "")
	later.refresh(in.refresh)
	again := later.signin("ada")
	g.want(request{method: http.MethodGet, path: "/me", bearer: again.access}, http.StatusUnauthorized, "token_invalid")

	third := fast()
	third.SigningKey = signingKey + "2"
	last := newGatewayOn(t, db, third)
	last.want(request{method: http.MethodGet, path: "/me", bearer: in.access}, http.StatusUnauthorized, "token_invalid")
	last.want(request{method: http.MethodGet, path: "/me", cookie: in.cookie}, http.StatusUnauthorized, "token_invalid")
	if !last.isIn(again.access) {
		t.Error("a token of the present key is refused")
	}
}
