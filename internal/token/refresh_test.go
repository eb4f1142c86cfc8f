package token_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/internal/token"
)

var (
	refreshKey  = token.Derive(secret, "coglex/auth/refresh/v1")
	someRefresh = token.Refresh{Collection: "_USERS", Subject: "65f0c0ffee65f0c0ffee65f0", Session: "s1", Generation: 7}
)

func refresher(tb testing.TB, keys ...[]byte) *token.Refresher {
	tb.Helper()
	r, err := token.NewRefresher(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func mint(tb testing.TB, r *token.Refresher, what token.Refresh) string {
	tb.Helper()
	text, err := r.Mint(what)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func TestMintedParses(t *testing.T) {
	t.Parallel()
	r := refresher(t, refreshKey)
	for name, want := range map[string]token.Refresh{
		"an ordinary one":   someRefresh,
		"the first":         {Collection: "users", Subject: "u", Session: "s"},
		"the last":          {Collection: "users", Subject: "u", Session: "s", Generation: math.MaxInt64},
		"any bytes":         {Collection: "\x00", Subject: "a|b.c\xff", Session: "日本"},
		"a long subject":    {Collection: "users", Subject: strings.Repeat("x", 512), Session: "s"},
		"nothing but zeros": {Collection: "\x00\x00", Subject: "\x00", Session: "\x00\x00\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := mint(t, r, want)
			if got, err := r.Parse(text); err != nil || got != want {
				t.Errorf("Parse: %+v, %v", got, err)
			}
			if mint(t, refresher(t, refreshKey), want) != text {
				t.Error("another refresher with this key makes another token")
			}
			// RFC 6265's cookie-octet and RFC 3986's unreserved, both.
			if !regexp.MustCompile(`^cgr_[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$`).MatchString(text) {
				t.Errorf("Mint: %q", text)
			}
		})
	}
}

// The layout is kept: a token lives for days, and instances of two versions may
// make the successor of one.
func TestMintIsKept(t *testing.T) {
	t.Parallel()
	const want = "cgr_AQAAAAAAAAAHAAZfVVNFUlMAGDY1ZjBjMGZmZWU2NWYwYzBmZmVlNjVmMAACczE" +
		".COU0jq2wTy89BKC1NGx1iiVImt3M098KFFZr8ktNKzI"
	if got := mint(t, refresher(t, refreshKey), someRefresh); got != want {
		t.Errorf("Mint: %s", got)
	}
}

// No two contents are written alike.
func TestMintIsUnambiguous(t *testing.T) {
	t.Parallel()
	r := refresher(t, refreshKey)
	seen := map[string]token.Refresh{}
	for _, what := range []token.Refresh{
		{Collection: "ab", Subject: "c", Session: "d"},
		{Collection: "a", Subject: "bc", Session: "d"},
		{Collection: "a", Subject: "b", Session: "cd"},
		{Collection: "a", Subject: "b\x00\x01c", Session: "d"},
		{Collection: "a\x00\x01b", Subject: "c", Session: "d"},
		{Collection: "d", Subject: "c", Session: "ab"},
		{Collection: "ab", Subject: "c", Session: "d", Generation: 1},
		{Collection: "ab", Subject: "c", Session: "d", Generation: 256},
	} {
		text := mint(t, r, what)
		if other, ok := seen[text]; ok {
			t.Errorf("%+v and %+v are one", what, other)
		}
		seen[text] = what
	}
}

func TestMintRefuses(t *testing.T) {
	t.Parallel()
	r := refresher(t, refreshKey)
	for name, what := range map[string]token.Refresh{
		"no collection":         {Subject: "u", Session: "s"},
		"no subject":            {Collection: "c", Session: "s"},
		"no session":            {Collection: "c", Subject: "u"},
		"a negative generation": {Collection: "c", Subject: "u", Session: "s", Generation: -1},
		"too long a subject":    {Collection: "c", Subject: strings.Repeat("x", 2048), Session: "s"},
		"beyond 65535 bytes":    {Collection: "c", Subject: strings.Repeat("x", 1<<16+1), Session: "s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text, err := r.Mint(what); err == nil {
				t.Errorf("Mint: %q", text)
			}
		})
	}
}

func TestOldRefreshKeysVerifyAndDoNotSign(t *testing.T) {
	t.Parallel()
	fresh := token.Derive(secret, "another")
	old, both := refresher(t, refreshKey), refresher(t, fresh, refreshKey)
	if got, err := both.Parse(mint(t, old, someRefresh)); err != nil || got != someRefresh {
		t.Errorf("Parse of an old token: %+v, %v", got, err)
	}
	if mint(t, both, someRefresh) != mint(t, refresher(t, fresh), someRefresh) {
		t.Error("the first key does not sign")
	}
	if _, err := refresher(t, fresh).Parse(mint(t, old, someRefresh)); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("Parse when the key is gone: %v", err)
	}
}

func TestForgedRefreshIsRefused(t *testing.T) {
	t.Parallel()
	r := refresher(t, refreshKey)
	genuine := mint(t, r, someRefresh)
	text, mac, _ := strings.Cut(genuine, ".")
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, token.Prefix))
	if err != nil {
		t.Fatal(err)
	}
	later := someRefresh
	later.Generation++
	laterText, _, _ := strings.Cut(mint(t, r, later), ".")
	other := someRefresh
	other.Subject = "65f0c0ffee65f0c0ffee65f1"
	otherText, _, _ := strings.Cut(mint(t, r, other), ".")
	// What one with the key would sign by a defect.
	sealed := func(data string) string { return seal(token.Prefix+b64(data), sha256.New, refreshKey) }
	raw := string(data)
	if sealed(raw) != genuine {
		t.Fatal("the forgeries do not begin with the genuine token")
	}
	for name, forged := range map[string]string{
		"the next generation":            laterText + "." + mac,
		"another subject":                otherText + "." + mac,
		"the API key as the key":         mint(t, refresher(t, secret), someRefresh),
		"the key of access tokens":       mint(t, refresher(t, accessKey), someRefresh),
		"an access token":                sign(t, signer(t, accessKey), alice),
		"an access token of its own key": sign(t, signer(t, refreshKey), alice),
		"a MAC cut off":                  genuine[:len(genuine)-1],
		"half a MAC":                     genuine[:len(genuine)-22],
		"no MAC":                         text + ".",
		"no MAC and no dot":              text,
		"a MAC of one letter":            text + "." + mac[:1],
		"a longer MAC":                   genuine + "A",
		"trailing bits in the MAC":       genuine[:len(genuine)-1] + nextBit(genuine),
		"no prefix":                      strings.TrimPrefix(genuine, token.Prefix),
		"the prefix twice":               token.Prefix + genuine,
		"the prefix in another case":     "CGR_" + strings.TrimPrefix(genuine, token.Prefix),
		"a line break behind":            genuine + "\n",
		"a space before":                 " " + genuine,
		"nothing":                        "",
		"the prefix":                     token.Prefix,
		"the prefix and a dot":           token.Prefix + ".",
		"1 MB":                           genuine + strings.Repeat("x", 1<<20),
		"1 MB before":                    strings.Repeat("x", 1<<20) + genuine,
		"sealed without the prefix":      seal(b64(raw), sha256.New, refreshKey),
		"sealed with another version":    sealed("\x02" + raw[1:]),
		"sealed with nothing":            sealed(""),
		"sealed with a version alone":    sealed("\x01"),
		"sealed with more behind":        sealed(raw + "\x00"),
		"sealed with a session too much": sealed(raw + "\x00\x01x"),
		"sealed with the end missing":    sealed(raw[:len(raw)-1]),
		"sealed with a field missing":    sealed(raw[:len(raw)-4]),
		"sealed with an empty field":     sealed(raw[:len(raw)-4] + "\x00\x00"),
		"sealed with a generation of -1": sealed("\x01" + strings.Repeat("\xff", 8) + raw[9:]),
		"sealed with trailing bits":      seal(text[:len(text)-1]+nextBit(text), sha256.New, refreshKey),
		"sealed with a line break":       seal(text+"\n", sha256.New, refreshKey),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := r.Parse(forged); !errors.Is(err, token.ErrInvalid) || got != (token.Refresh{}) {
				t.Errorf("Parse: %+v, %v", got, err)
			}
		})
	}
}

func BenchmarkMint(b *testing.B) {
	r := refresher(b, refreshKey)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Mint(someRefresh); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	r := refresher(b, refreshKey)
	text := mint(b, r, someRefresh)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
