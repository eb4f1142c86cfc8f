package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/imadelakhaldev/coglex/internal/password"
)

// A public test vector of Python's bcrypt, which wrote the hashes of databases
// that are older than this library.
const (
	pyca         = "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"
	pycaPassword = "Kk4DQuMMfZL9o"
)

func hasher(tb testing.TB, cost int) *password.Hasher {
	tb.Helper()
	h, err := password.New(cost, 0, time.Minute)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func TestHashOfOthersVerifies(t *testing.T) {
	t.Parallel()
	h := hasher(t, bcrypt.MinCost)
	for name, tc := range map[string]struct{ stored, password string }{
		"Python's bcrypt":           {pyca, pycaPassword},
		"libxcrypt at cost 12":      {"$2b$12$GhvMmNVjRW29ulnudl.LbuO9MimFJVb/HFMiMD7YZ9cJI.cRSHBly", "correct horse battery staple"},
		"version 2a of OpenBSD":     {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
		"version 2y, beyond ASCII":  {"$2y$04$GhvMmNVjRW29ulnudl.LbuotjHvjclice3uYMFToBTRdn7TxkbGNy", "pässwörd"},
		"of 80 bytes, cut after 72": {"$2b$04$GhvMmNVjRW29ulnudl.LbuTOuWrKP0S9WTCP1miWOeSEX6ubJlL16", strings.Repeat("0123456789", 8)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if ok, err := h.Verify(t.Context(), tc.stored, tc.password); !ok || err != nil {
				t.Errorf("the right password: %v, %v", ok, err)
			}
			if ok, err := h.Verify(t.Context(), tc.stored, "!"+tc.password); ok || err != nil {
				t.Errorf("a wrong password: %v, %v", ok, err)
			}
		})
	}
}

func TestHashVerifies(t *testing.T) {
	t.Parallel()
	h := hasher(t, 5)
	for _, pw := range []string{"12345678", "", "日本語のパスワード", strings.Repeat("x", password.MaxBytes)} {
		stored, err := h.Hash(t.Context(), pw)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(stored, "$2a$05$") || h.NeedsRehash(stored) {
			t.Errorf("Hash: %q", stored)
		}
		if ok, err := h.Verify(t.Context(), stored, pw); !ok || err != nil {
			t.Errorf("Verify: %v, %v", ok, err)
		}
		if ok, err := h.Verify(t.Context(), stored, "x"+pw); ok != (len(pw) == password.MaxBytes) || err != nil {
			t.Errorf("Verify of another password: %v, %v", ok, err)
		}
	}
}

func TestHashRefusesWhatBcryptWouldCut(t *testing.T) {
	t.Parallel()
	_, err := hasher(t, bcrypt.MinCost).Hash(t.Context(), strings.Repeat("x", password.MaxBytes+1))
	if _, ok := errors.AsType[*password.WeakError](err); !ok {
		t.Errorf("Hash: %v, want a *WeakError", err)
	}
}

// notHashes are stored values that nobody can sign in with.
func notHashes() map[string]string {
	sum := pyca[7:]
	return map[string]string{
		"nothing":              "",
		"clear text":           pycaPassword,
		"another algorithm":    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
		"cut off":              pyca[:59],
		"something behind":     pyca + "x",
		"a line break behind":  pyca + "\n",
		"no salt":              "$2b$04$" + strings.Repeat("?", 22) + sum[22:],
		"a NUL in it":          pyca[:30] + "\x00" + pyca[31:],
		"unknown version":      "$2z$04$" + sum,
		"version 1":            "$1b$04$" + sum,
		"cost of words":        "$2b$xx$" + sum,
		"cost below the least": "$2b$03$" + sum,
		"cost of half an hour": "$2b$24$" + sum,
		"cost of days":         "$2b$31$" + sum,
		"cost beyond bcrypt":   "$2b$99$" + sum,
	}
}

func TestWhatIsNoHashIsNobodysPassword(t *testing.T) {
	t.Parallel()
	h := hasher(t, bcrypt.MinCost)
	for name, stored := range notHashes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, pw := range []string{pycaPassword, "", stored} {
				if ok, err := h.Verify(t.Context(), stored, pw); ok || err != nil {
					t.Errorf("Verify: %v, %v", ok, err)
				}
			}
			if !h.NeedsRehash(stored) {
				t.Error("it need not be replaced")
			}
		})
	}
}

func TestNeedsRehash(t *testing.T) {
	t.Parallel()
	if hasher(t, bcrypt.MinCost).NeedsRehash(pyca) {
		t.Error("a hash of the same cost needs none")
	}
	if !hasher(t, bcrypt.MinCost+1).NeedsRehash(pyca) {
		t.Error("a hash of another cost needs one")
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cost, places int
		wait         time.Duration
		want         []string
	}{
		"defaults":           {0, 0, 0, nil},
		"the least":          {bcrypt.MinCost, 1, 1, nil},
		"the most":           {password.MaxCost, 1000, time.Hour, nil},
		"a cost too low":     {3, 0, 0, []string{"cost 3"}},
		"a cost too high":    {17, 0, 0, []string{"cost 17"}},
		"everything at once": {-1, -1, -1, []string{"cost -1", "places -1", "wait -1ns"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := password.New(tc.cost, tc.places, tc.wait)
			if (err == nil) != (tc.want == nil) || (h == nil) != (tc.want != nil) {
				t.Fatalf("New: %v, %v", h, err)
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("New: %v, want %q in it", err, part)
				}
			}
		})
	}
}

func TestDefaultCost(t *testing.T) {
	t.Parallel()
	h, err := password.New(0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if h.NeedsRehash("$2b$12$" + pyca[7:]) {
		t.Error("the hashes of existing databases would be replaced")
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, stored := range map[string]string{"default cost": "$2b$12$" + pyca[7:], "nothing stored": ""} {
		b.Run(name, func(b *testing.B) {
			h := hasher(b, password.DefaultCost)
			for b.Loop() {
				if _, err := h.Verify(context.Background(), stored, "12345678"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
