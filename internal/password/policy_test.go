package password_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/internal/password"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		password string
		want     []password.Reason
	}{
		"seven bytes":               {"1234567", []password.Reason{password.TooShort}},
		"eight bytes":               {"12345678", nil},
		"eight bytes in four runes": {"éééé", nil},
		"72 bytes":                  {strings.Repeat("x", 72), nil},
		"73 bytes":                  {strings.Repeat("x", 73), []password.Reason{password.TooLong}},
		"73 bytes in 37 runes":      {strings.Repeat("é", 36) + "x", []password.Reason{password.TooLong}},
		"empty":                     {"", []password.Reason{password.TooShort}},
		"spaces count":              {"        ", nil},
		"half a rune":               {"1234567\xc3", []password.Reason{password.NotUTF8}},
		"a NUL":                     {"1234\x005678", []password.Reason{password.HasNUL}},
		"everything at once":        {"\x00\xff", []password.Reason{password.TooShort, password.NotUTF8, password.HasNUL}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := password.Check(tc.password)
			if tc.want == nil {
				if err != nil {
					t.Fatalf("Check: %v", err)
				}
				return
			}
			weak, ok := errors.AsType[*password.WeakError](err)
			if !ok {
				t.Fatalf("Check: %v, want a *WeakError", err)
			}
			if diff := cmp.Diff(tc.want, weak.Reasons); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWeakErrorDoesNotHoldThePassword(t *testing.T) {
	t.Parallel()
	err := password.Check("hunter2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Check: %v", err)
	}
}
