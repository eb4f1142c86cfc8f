package archive_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/imadelakhaldev/coglex/archive"
)

func TestNamesAreClean(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":                           "report.pdf",
		"../../../etc/passwd":                  "passwd",
		`..\..\win.ini`:                        "win.ini",
		`C:\Users\me\a.txt`:                    "a.txt",
		"/etc/passwd":                          "passwd",
		"a/b\\c/d.txt":                         "d.txt",
		"..":                                   "file",
		".":                                    "file",
		"":                                     "file",
		"...":                                  "file",
		"   ":                                  "file",
		"dir/":                                 "file",
		".htaccess":                            ".htaccess",
		"a.txt.":                               "a.txt",
		"a.txt. . .":                           "a.txt",
		"  a.txt ":                             "a.txt",
		"a\x00b.txt":                           "ab.txt",
		"a\r\nSet-Cookie: x=y":                 "aSet-Cookie_ x=y",
		"invoice\u202Efdp.exe":                 "invoicefdp.exe",
		"a\u200Bb\uFEFFc\u2066d.txt":           "abcd.txt",
		"a\u00A0b\u3000c":                      "a b c",
		"a\u2028b\u2029c":                      "abc",
		"\u3164hidden":                         "hidden",
		"a\uE000\uFFFE.txt":                    "a.txt",
		"a\U000E0041.txt":                      "a.txt",
		"a\xff\xfeb":                           "a\uFFFDb",
		"CON":                                  "_CON",
		"con.txt":                              "_con.txt",
		"Nul .tar.gz":                          "_Nul .tar.gz",
		"COM1.log":                             "_COM1.log",
		"lpt\u00B9":                            "_lpt\u00B9",
		"conin$":                               "_conin$",
		"COM10":                                "COM10",
		"console.log":                          "console.log",
		"a.txt:stream":                         "a.txt_stream",
		"文件.txt":                               "文件.txt",
		strings.Repeat("a", 300):               strings.Repeat("a", 255),
		strings.Repeat("a", 300) + ".txt":      strings.Repeat("a", 251) + ".txt",
		strings.Repeat("é", 200) + ".pdf":      strings.Repeat("é", 125) + ".pdf",
		strings.Repeat("文", 100):               strings.Repeat("文", 85),
		"a." + strings.Repeat("b", 300):        "a." + strings.Repeat("b", 253),
		strings.Repeat("a. ", 100) + "b.txt":   strings.TrimRight(strings.Repeat("a. ", 84)[:251], " .") + ".txt",
		"CON" + strings.Repeat(" ", 300) + "x": "_CON",
		"con." + strings.Repeat("x", 300):      "_con." + strings.Repeat("x", 250),
		"COM1/" + strings.Repeat("../", 9):     "file",
	} {
		if got := archive.CleanName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, seed := range []string{"a/b.txt", "CON", "..\\x", "a\u202e", strings.Repeat("é", 200) + ".x", "_CON.", "a. .b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := archive.CleanName(name)
		if got == "" || len(got) > 255 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\:\x00\r\n\u202e\u200b") {
			t.Errorf("%q: %q", name, got)
		}
		if strings.Trim(got, " ") != got || strings.HasSuffix(got, ".") {
			t.Errorf("%q: %q ends badly", name, got)
		}
		if again := archive.CleanName(got); again != got {
			t.Errorf("%q: %q, and then %q", name, got, again)
		}
	})
}
