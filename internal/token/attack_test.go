package token_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/imadelakhaldev/coglex/internal/token"
)

// The parts of a genuine token.
const (
	genuineHeader  = `{"alg":"HS256","typ":"JWT"}`
	genuinePayload = `{"iss":"https://example.com","sub":"u1","sid":"s1","col":"_USERS","typ":"access","jti":"j1","iat":1772366400,"exp":1772370000}`
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forge puts a token together from any text and a MAC.
func forge(header, payload string, mac func() hash.Hash, key []byte) string {
	return seal(b64(header)+"."+b64(payload), mac, key)
}

func seal(text string, mac func() hash.Hash, key []byte) string {
	h := hmac.New(mac, key)
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func refuse(t *testing.T, text string) {
	t.Helper()
	for _, kind := range []token.Kind{token.Access, token.Cookie} {
		got, err := signer(t, accessKey).Verify(text, kind, now)
		if !errors.Is(err, token.ErrInvalid) || got != (token.Claims{}) {
			t.Errorf("Verify as %s: %+v, %v", kind, got, err)
		}
	}
}

// The helpers below change one thing each, and would prove nothing if what they
// begin with were refused already.
func TestForgeryBeginsWithAGenuineToken(t *testing.T) {
	t.Parallel()
	if _, err := signer(t, accessKey).Verify(forge(genuineHeader, genuinePayload, sha256.New, accessKey), token.Access, now); err != nil {
		t.Fatal(err)
	}
}

// Attacks by one who does not have the key.
func TestForgedTokenIsRefused(t *testing.T) {
	t.Parallel()
	genuine := forge(genuineHeader, genuinePayload, sha256.New, accessKey)
	parts := strings.Split(genuine, ".")
	unsigned := parts[0] + "." + parts[1]
	older := b64(strings.Replace(genuinePayload, "u1", "u2", 1))
	for name, text := range map[string]string{
		"the API key as the key":         forge(genuineHeader, genuinePayload, sha256.New, secret),
		"a foreign key":                  forge(genuineHeader, genuinePayload, sha256.New, []byte(strings.Repeat("x", 32))),
		"an empty key":                   forge(genuineHeader, genuinePayload, sha256.New, nil),
		"the key of refresh tokens":      forge(genuineHeader, genuinePayload, sha256.New, refreshKey),
		"another subject":                parts[0] + "." + older + "." + parts[2],
		"no MAC":                         unsigned + ".",
		"no MAC and no dot":              unsigned,
		"a MAC cut off":                  genuine[:len(genuine)-1],
		"half a MAC":                     genuine[:len(genuine)-22],
		"a longer MAC":                   genuine + "A",
		"one MAC behind another":         genuine + "." + parts[2],
		"trailing bits in the MAC":       genuine[:len(genuine)-1] + nextBit(genuine),
		"padding":                        genuine + "=",
		"a line break behind":            genuine + "\n",
		"a line break in the MAC":        genuine[:len(genuine)-5] + "\r\n" + genuine[len(genuine)-5:],
		"a line break in the header":     parts[0][:4] + "\n" + parts[0][4:] + "." + parts[1] + "." + parts[2],
		"a space before":                 " " + genuine,
		"the MAC in the other alphabet":  unsigned + "." + strings.NewReplacer("-", "+", "_", "/").Replace(parts[2]) + "+",
		"the MAC in hex":                 unsigned + "." + fmt.Sprintf("%x", parts[2]),
		"the parts in another order":     parts[1] + "." + parts[0] + "." + parts[2],
		"nothing":                        "",
		"dots":                           "..",
		"text":                           "token",
		"a NUL":                          "\x00",
		"1 MB":                           genuine + strings.Repeat("x", 1<<20),
		"1 MB of dots":                   strings.Repeat(".", 1<<20),
		"1 MB before the genuine one":    strings.Repeat("x", 1<<20) + "." + genuine,
		"a refresh token":                mint(t, refresher(t, refreshKey), someRefresh),
		"a refresh token of its own key": mint(t, refresher(t, accessKey), someRefresh),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse(t, text)
		})
	}
}

// nextBit returns the last digit of a MAC with one of the two bits set that stand
// for nothing.
func nextBit(text string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(digits[strings.IndexByte(digits, text[len(text)-1])^1])
}

// Attacks by the choice of an algorithm.
func TestAlgorithmIsPinned(t *testing.T) {
	t.Parallel()
	claims := jwt.MapClaims{
		"iss": issuer, "sub": "u1", "sid": "s1", "col": "_USERS", "typ": "access", "jti": "j1",
		"iat": now.Unix(), "exp": alice.Expires.Unix(),
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	signed := func(method jwt.SigningMethod, key any) string {
		text, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	texts := map[string]string{
		"none":                         signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"RS256":                        signed(jwt.SigningMethodRS256, private),
		"HS256 by a public key":        signed(jwt.SigningMethodHS256, public),
		"HS384 by the right key":       signed(jwt.SigningMethodHS384, accessKey),
		"HS512 by the right key":       signed(jwt.SigningMethodHS512, accessKey),
		"SHA-512 that claims SHA-256":  forge(genuineHeader, genuinePayload, sha512.New, accessKey),
		"the right MAC under no name":  forge(`{"typ":"JWT"}`, genuinePayload, sha256.New, accessKey),
		"the right MAC under a number": forge(`{"alg":256,"typ":"JWT"}`, genuinePayload, sha256.New, accessKey),
		"the right MAC under null":     forge(`{"alg":null,"typ":"JWT"}`, genuinePayload, sha256.New, accessKey),
		"the right MAC under a list":   forge(`{"alg":["HS256"],"typ":"JWT"}`, genuinePayload, sha256.New, accessKey),
	}
	for _, name := range []string{"none", "None", "NONE", "nOnE", "", "RS256", "ES256", "HS512", "hs256", "HS256 "} {
		header := fmt.Sprintf(`{"alg":%q,"typ":"JWT"}`, name)
		texts["no MAC under "+name] = b64(header) + "." + b64(genuinePayload) + "."
		texts["the right MAC under "+name] = forge(header, genuinePayload, sha256.New, accessKey)
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse(t, text)
		})
	}
}

// What nobody without the key can make, and what no defect of another program
// that has the key should get past us.
func TestGenuineTokenOfAnotherFormIsRefused(t *testing.T) {
	t.Parallel()
	header := func(text string) string { return forge(text, genuinePayload, sha256.New, accessKey) }
	payload := func(text string) string { return forge(genuineHeader, text, sha256.New, accessKey) }
	replaced := func(old, new string) string {
		if !strings.Contains(genuinePayload, old) {
			t.Fatalf("%s is not in the payload", old)
		}
		return payload(strings.Replace(genuinePayload, old, new, 1))
	}
	spaced := b64(genuinePayload + " ") // its last digit has bits that stand for nothing
	texts := map[string]string{
		"crit":                         header(`{"alg":"HS256","typ":"JWT","crit":["exp"]}`),
		"an empty crit":                header(`{"alg":"HS256","typ":"JWT","crit":[]}`),
		"unencoded payload":            header(`{"alg":"HS256","typ":"JWT","b64":false,"crit":["b64"]}`),
		"kid":                          header(`{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}`),
		"jku":                          header(`{"alg":"HS256","typ":"JWT","jku":"https://attacker.example/keys"}`),
		"jwk":                          header(`{"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":"AA"}}`),
		"cty":                          header(`{"alg":"HS256","typ":"JWT","cty":"JWT"}`),
		"zip":                          header(`{"alg":"HS256","typ":"JWT","zip":"DEF"}`),
		"alg twice":                    header(`{"alg":"none","alg":"HS256","typ":"JWT"}`),
		"alg twice, escaped":           header(`{"\u0061lg":"none","alg":"HS256","typ":"JWT"}`),
		"ALG beside alg":               header(`{"ALG":"none","alg":"HS256","typ":"JWT"}`),
		"another type":                 header(`{"alg":"HS256","typ":"at+jwt"}`),
		"no type":                      header(`{"alg":"HS256"}`),
		"a header of another kind":     header(`["HS256"]`),
		"something behind the header":  header(genuineHeader + `{}`),
		"something behind the payload": payload(genuinePayload + `{}`),
		"a string as content":          payload(`"u1"`),
		"a list as content":            payload(`["u1"]`),
		"a number as content":          payload(`1`),
		"null as content":              payload(`null`),
		"no content":                   payload(``),
		"an empty object":              payload(`{}`),
		"the original's content":       payload(`{"_":{"_key":{"$ne":null}},"exp":1772370000}`),
		"sub twice":                    replaced(`"sub":"u1"`, `"sub":"u2","sub":"u1"`),
		"sub twice, escaped":           replaced(`"sub":"u1"`, `"\u0073ub":"u2","sub":"u1"`),
		"exp twice":                    replaced(`"exp":1772370000`, `"exp":1,"exp":1772370000`),
		"SUB for sub":                  replaced(`"sub"`, `"SUB"`),
		"an unknown claim":             replaced(`"sub":"u1"`, `"sub":"u1","role":"admin"`),
		"not before":                   replaced(`"sub":"u1"`, `"sub":"u1","nbf":1772370000`),
		"an operator as sub":           replaced(`"u1"`, `{"$ne":null}`),
		"a list as sub":                replaced(`"u1"`, `["u1"]`),
		"half a rune":                  replaced(`"u1"`, "\"u\xc3\""),
		"half a surrogate":             replaced(`"u1"`, `"\ud800"`),
		"another issuer":               replaced(issuer, "https://attacker.example"),
		"the issuer and more":          replaced(issuer, issuer+".attacker.example"),
		"the issuer in another case":   replaced("example.com", "EXAMPLE.com"),
		"exp as text":                  replaced(`1772370000`, `"1772370000"`),
		"exp with a fraction":          replaced(`1772370000`, `1772370000.5`),
		"exp with an exponent":         replaced(`1772370000`, `1.77237e9`),
		"exp beyond int64":             replaced(`1772370000`, `99999999999999999999`),
		"exp of null":                  replaced(`1772370000`, `null`),
		"exp of zero":                  replaced(`1772370000`, `0`),
		"exp before iat":               replaced(`1772370000`, `1772366399`),
		"exp at iat":                   replaced(`1772370000`, `1772366400`),
		"iat as text":                  replaced(`1772366400`, `"1772366400"`),
		"iat of zero":                  replaced(`1772366400`, `0`),
		"iat before 1970":              replaced(`1772366400`, `-1`),
		"iat two minutes ahead":        replaced(`1772366400`, `1772366520`),
		"typ of a refresh token":       replaced(`"access"`, `"refresh"`),
		"typ in another case":          replaced(`"access"`, `"Access"`),
		"typ of both kinds":            replaced(`"access"`, `["access","cookie"]`),
		"three parts in two":           seal(b64(genuineHeader)+b64(genuinePayload), sha256.New, accessKey),
		"four parts":                   seal(b64(genuineHeader)+"."+b64(genuinePayload)+"."+b64("{}"), sha256.New, accessKey),
		"parts with padding":           seal(b64(genuineHeader)+"."+b64(genuinePayload)+"=", sha256.New, accessKey),
		"parts with trailing bits":     seal(b64(genuineHeader)+"."+spaced[:len(spaced)-1]+nextBit(spaced), sha256.New, accessKey),
		"parts with a line break":      seal(b64(genuineHeader)+"."+b64(genuinePayload)+"\n", sha256.New, accessKey),
		"parts that are not base64":    seal("!.!", sha256.New, accessKey),
		"one part":                     seal(b64(genuineHeader), sha256.New, accessKey),
		"an angle bracket as it is":    replaced(`"u1"`, `"<"`),
		"a line separator as it is":    replaced(`"u1"`, "\"\u2028\""),
		"a payload of 2 KB":            replaced("u1", strings.Repeat("x", 2048)),
		"nested without end":           payload(strings.Repeat(`[`, 1000)),
	}
	for _, claim := range []string{
		`"iss":"https://example.com",`, `"sub":"u1",`, `"sid":"s1",`, `"col":"_USERS",`, `"typ":"access",`,
		`"jti":"j1",`, `"iat":1772366400,`, `,"exp":1772370000`,
	} {
		texts["without "+claim] = replaced(claim, "")
	}
	for _, value := range []string{`"u1"`, `"s1"`, `"_USERS"`, `"access"`, `"j1"`, `"` + issuer + `"`} {
		texts["empty for "+value] = replaced(value, `""`)
		texts["null for "+value] = replaced(value, `null`)
		texts["number for "+value] = replaced(value, `1`)
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse(t, text)
		})
	}
}

// ErrExpired says that a token was good once, and lets one sign out with it.
func TestExpiredTokenOfAnotherFormIsRefused(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	for name, payload := range map[string]string{
		"another issuer": strings.Replace(genuinePayload, issuer, "https://attacker.example", 1),
		"no subject":     strings.Replace(genuinePayload, `"sub":"u1",`, "", 1),
		"no session":     strings.Replace(genuinePayload, `"s1"`, `""`, 1),
		"exp at iat":     strings.Replace(genuinePayload, "1772370000", "1772366400", 1),
		"another type":   strings.Replace(genuinePayload, `"access"`, `"cookie"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.Verify(forge(genuineHeader, payload, sha256.New, accessKey), token.Access, alice.Expires)
			if !errors.Is(err, token.ErrInvalid) || got != (token.Claims{}) {
				t.Errorf("Verify: %+v, %v", got, err)
			}
		})
	}
}

// A cookie that leaked is no bearer token, and the other way round, even though
// nothing else tells them apart.
func TestKindsAreNotSwapped(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	access := sign(t, s, alice)
	cookie := sign(t, s, with(func(c *token.Claims) { c.Kind = token.Cookie }))
	for _, tc := range []struct {
		text string
		kind token.Kind
	}{{access, token.Cookie}, {cookie, token.Access}, {access, ""}, {access, "refresh"}} {
		for _, at := range []int{0, 1} { // an old one as well
			if c, err := s.Verify(tc.text, tc.kind, alice.Expires.AddDate(0, 0, at-1)); !errors.Is(err, token.ErrInvalid) || c != (token.Claims{}) {
				t.Errorf("Verify as %q: %+v, %v", tc.kind, c, err)
			}
		}
	}
}

// Not a single changed letter passes.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	s, r := signer(t, accessKey), refresher(t, refreshKey)
	access, refresh := sign(t, s, alice), mint(t, r, someRefresh)
	for i := range access {
		if _, err := s.Verify(flip(access, i), token.Access, now); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("byte %d of an access token: %v", i, err)
		}
	}
	for i := range refresh {
		if _, err := r.Parse(flip(refresh, i)); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("byte %d of a refresh token: %v", i, err)
		}
	}
}

func flip(text string, i int) string { return text[:i] + string(text[i]^1) + text[i+1:] }

// An error tells neither what was presented nor what was wrong with it.
func TestErrorsSayNothing(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	for _, text := range []string{"", "nonsense", forge(genuineHeader, `{"sub":`, sha256.New, accessKey)} {
		if _, err := s.Verify(text, token.Access, now); err != token.ErrInvalid { //nolint:errorlint // that one and nothing around it
			t.Errorf("Verify: %v", err)
		}
	}
}
