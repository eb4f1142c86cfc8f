package signals_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// Misuse that the signatures promise to refuse, each with the compiler's words.
func TestMisuseDoesNotCompile(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ line, want string }{
		"all as it should be": {
			"Publish(ctx, b, Paid{}); Publish(ctx, b, Got{}); Ask(ctx, b, &Paying{}); Deliver(ctx, b, Got{}, nil); Async(b, 1, func(context.Context, Paid) error { return nil })", "",
		},
		"async of an inbox event":       {"Async(b, 1, func(context.Context, Got) error { return nil })", "missing method mayBeLost"},
		"deliver of an ordinary fact":   {"Deliver(ctx, b, Paid{}, nil)", "missing method inbox"},
		"fact by pointer":               {"Publish(ctx, b, &Paid{})", "missing method fact"},
		"subscriber to a pointer":       {"Subscribe(b, func(context.Context, *Paid) error { return nil })", "missing method fact"},
		"subscriber to an interface":    {"Subscribe(b, func(context.Context, any) error { return nil })", "pointer to interface"},
		"intent published":              {"Publish(ctx, b, Paying{})", "missing method fact"},
		"fact asked about":              {"Ask(ctx, b, &Paid{})", "missing method intent"},
		"intent by value":               {"Ask(ctx, b, Paying{})", "Paying"},
		"interceptor that gets a value": {"Intercept(b, func(context.Context, Paying) error { return nil })", "Paying"},
		"both fact and inbox":           {"Publish(ctx, b, Both{})", "ambiguous"},
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "source", nil)
	for name, test := range tests {
		src := `package p
import ("context"; . "github.com/imadelakhaldev/coglex/signals")
type Paid struct { Fact }
type Got struct { Inbox }
type Both struct { Fact; Inbox }
type Paying struct { Intent }
func use(ctx context.Context, b *Bus) { ` + test.line + ` }`
		file, err := parser.ParseFile(fset, name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&types.Config{Importer: imports}).Check("p", fset, []*ast.File{file}, nil)
		if test.want == "" && err != nil {
			t.Errorf("%s: got %v, want it to compile", name, err)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, test.want)
		}
	}
}
