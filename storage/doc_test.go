package storage_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// published returns the operators that the manual lists under a heading, and
// before the next.
func published(t *testing.T, from, to string) []string {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), from)
	list, _, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("doc.go has no %q or %q", from, to)
	}
	return regexp.MustCompile(`\$[a-zA-Z0-9]+`).FindAllString(list, -1)
}

// The lists of the manual are those of the operator check: what is on them may
// be malformed in this test, but is allowed.
func TestThePublishedListsAreTrue(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, row := range []struct {
		from, to, pipeline string
		count              int
	}{
		{"- stages: ", "- accumulators:", `[{%q: 1}]`, 21},
		{"- accumulators: ", "- expressions, in", `[{"$group": {"_id": null, "a": {%q: 1}}}]`, 22},
		{"arguments:\n", "Never $where", `[{"$project": {"a": {%q: 1}}}]`, 150},
	} {
		operators := published(t, row.from, row.to)
		if len(operators) < row.count-10 || len(operators) > row.count+10 {
			t.Errorf("%d operators after %q, want about %d", len(operators), row.from, row.count)
		}
		for _, operator := range operators {
			path := operator + `: is not allowed`
			a := g.do(http.MethodPost, "/things/aggregate", `{"pipeline": `+fmt.Sprintf(row.pipeline, operator)+`}`)
			if strings.Contains(a.body, path) {
				t.Errorf("%s is on the list, and refused: %s", operator, a.body)
			}
		}
	}
}
