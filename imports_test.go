package coglex_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/imadelakhaldev/coglex"

// listed is a package as the go command tells of it.
type listed struct {
	ImportPath   string
	Standard     bool
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

// list asks the go command about packages in a folder.
func list(t *testing.T, dir string, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Standard,Imports,TestImports,XTestImports,Deps"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// under reports whether a package is at or below a path.
func under(importPath, path string) bool {
	return importPath == path || strings.HasPrefix(importPath, path+"/")
}

// spine is what every gateway links, whatever services it has.
func spine() []string {
	return []string{module, module + "/middleware", module + "/service", module + "/signals"}
}

func TestTheSpineLinksNoVendor(t *testing.T) {
	t.Parallel()
	forbidden := map[string]string{
		"github.com/stripe":             "a gateway without payments must not carry Stripe",
		"google.golang.org/genai":       "it adds eleven megabytes to every program",
		"google.golang.org/grpc":        "it comes with genai",
		"cloud.google.com":              "it comes with genai",
		"github.com/pb33f":              "OpenAPI is for those who ask for it",
		"github.com/getkin":             "OpenAPI is for those who ask for it",
		"github.com/swaggest":           "OpenAPI is for those who ask for it",
		"go.mongodb.org":                "the spine knows no database, so that a move to another driver leaves it alone",
		"github.com/golang-jwt":         "tokens are the business of the service that issues them",
		"golang.org/x/oauth2":           "providers are the business of auth",
		"github.com/FerretDB":           "the embedded database is a module of its own",
		"modernc.org":                   "it comes with the embedded database",
		"testing":                       "test helpers do not belong in a program",
		module + "/internal/dbtest":     "test helpers do not belong in a program",
		module + "/signals/signalstest": "test helpers do not belong in a program",
	}
	packages := list(t, ".", spine()...)
	if len(packages) != len(spine()) {
		t.Fatalf("go list knows %d of %v", len(packages), spine())
	}
	for _, p := range packages {
		if len(p.Deps) == 0 {
			t.Errorf("go list tells nothing of %s", p.ImportPath)
		}
		for _, dep := range p.Deps {
			for path, reason := range forbidden {
				if under(dep, path) {
					t.Errorf("%s links %s: %s", p.ImportPath, dep, reason)
				}
			}
		}
	}
}

func TestAServiceLinksNoVendorButItsOwn(t *testing.T) {
	t.Parallel()
	vendors := map[string]string{ // and the only room that may link it
		"github.com/stripe":                      "payment",
		"google.golang.org/genai":                "generation",
		"google.golang.org/grpc":                 "generation",
		"github.com/modelcontextprotocol/go-sdk": "execution/executionmcp",
		"github.com/google/jsonschema-go":        "execution",
		"github.com/minio/minio-go":              "archive/s3store",
	}
	linked := map[string]bool{}
	for _, p := range list(t, ".", "./...") {
		for _, dep := range p.Deps {
			for vendor, room := range vendors {
				if !under(dep, vendor) {
					continue
				}
				linked[vendor] = true
				if !under(p.ImportPath, module+"/"+room) {
					t.Errorf("%s links %s, which is for %s alone", p.ImportPath, dep, room)
				}
			}
		}
	}
	for vendor, room := range vendors {
		if !linked[vendor] {
			t.Errorf("%s links no %s: has it moved?", room, vendor)
		}
	}
}

func TestTheArrowsRunOneWay(t *testing.T) {
	t.Parallel()
	// A package may import those of its own below itself, internal ones, and these.
	allowed := map[string][]string{
		module:                 {"middleware", "service", "signals"},
		module + "/middleware": {"service"},
		module + "/service":    {"signals"},
		module + "/signals":    {},
	}
	common := []string{"middleware", "service", "signals"}
	for _, p := range list(t, ".", "./...") {
		may, ok := allowed[p.ImportPath]
		if !ok {
			may = common // a service, or what is inside
		}
		for _, path := range p.Imports {
			if path == module {
				t.Errorf("%s imports the root, which assembles services and is known by none", p.ImportPath)
				continue
			}
			rest, ours := strings.CutPrefix(path, module+"/")
			if !ours || under(path, p.ImportPath) || under(path, module+"/internal") {
				continue
			}
			// A service's folder is its own, and what lies in it may use it.
			own, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, module+"/"), "/")
			if room, _, _ := strings.Cut(rest, "/"); room != own && !slices.Contains(may, rest) {
				t.Errorf("%s imports %s: services meet in signals and small interfaces only", p.ImportPath, path)
			}
		}
	}
}

func TestSignalsIsStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, ".", "-deps", module+"/signals") {
		if !p.Standard && p.ImportPath != module+"/signals" {
			t.Errorf("signals links %s: the bus is for every program, whatever else it is made of", p.ImportPath)
		}
	}
}

func TestTestHelpersStayInTests(t *testing.T) {
	t.Parallel()
	helpers := []string{module + "/internal/dbtest"}
	uses := 0
	for _, p := range list(t, ".", "./...") {
		if slices.Contains(helpers, p.ImportPath) {
			continue
		}
		for _, helper := range helpers {
			if slices.Contains(p.Imports, helper) {
				t.Errorf("%s imports %s outside its tests", p.ImportPath, helper)
			}
			if slices.Contains(p.TestImports, helper) || slices.Contains(p.XTestImports, helper) {
				uses++
			}
		}
	}
	if uses == 0 {
		t.Error("no test uses a helper: has it moved?")
	}
}

func TestEmbeddedImportsNothingOfOurs(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("embedded/go.mod"); err != nil {
		t.Skip("the library alone, as somebody's dependency, has no embedded module beside it")
	}
	for _, p := range list(t, "embedded", "./...") {
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if under(path, module) && !under(path, module+"/embedded") {
				t.Errorf("%s imports %s: the embedded database is a module that others may use alone", p.ImportPath, path)
			}
		}
	}
}
