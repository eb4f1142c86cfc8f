package extjson_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// corpus is a file of MongoDB's BSON corpus, which comes with the driver's
// module.
type corpus struct {
	Valid []struct {
		Description string `json:"description"`
		BSON        string `json:"canonical_bson"`
		Canonical   string `json:"canonical_extjson"`
		Degenerate  string `json:"degenerate_extjson"`
		Relaxed     string `json:"relaxed_extjson"`
		Lossy       bool   `json:"lossy"`
	} `json:"valid"`
	ParseErrors []struct {
		Description string `json:"description"`
		String      string `json:"string"`
	} `json:"parseErrors"`
}

func TestBSONCorpus(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "go.mongodb.org/mongo-driver").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "bson-corpus", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus in %s: %v", dir, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c corpus
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c corpus) run(t *testing.T) {
	t.Helper()
	for _, v := range c.Valid {
		doc, err := hex.DecodeString(v.BSON)
		if err != nil {
			t.Fatal(err)
		}
		compareRelaxed(t, v.Description, doc, v.Relaxed)
		for _, in := range []string{v.Canonical, v.Degenerate} {
			if in == "" || v.Lossy || notAccepted(in) {
				continue
			}
			got, err := extjson.Parse([]byte(in), extjson.MaxDepth)
			if err != nil || !bytes.Equal(got, doc) {
				t.Errorf("%s: %s is\n%x, %v, want\n%x", v.Description, in, []byte(got), err, doc)
			}
		}
	}
	for _, v := range c.ParseErrors {
		if got, err := extjson.Parse([]byte(v.String), extjson.MaxDepth); err == nil {
			t.Errorf("%s: %s was taken for %v", v.Description, v.String, got)
		}
	}
}

// compareRelaxed checks what is written for a document, as text where the
// corpus has a relaxed form, else by what the driver reads in it.
func compareRelaxed(t *testing.T, description string, doc bson.Raw, want string) {
	t.Helper()
	out, err := extjson.AppendRelaxed(nil, doc)
	if err != nil {
		t.Errorf("%s: %v", description, err)
		return
	}
	if want == "" {
		if theirs, err := bson.MarshalExtJSON(doc, false, false); err == nil {
			want = string(theirs)
		}
	}
	if diff := cmp.Diff(decode(t, []byte(want)), decode(t, out)); diff != "" {
		t.Errorf("%s: %s", description, diff)
	}
}

func decode(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

// notAccepted reports whether a text of the corpus holds a type that Parse
// refuses by decision, or a decimal written with more than 128 characters.
func notAccepted(text string) bool {
	for _, name := range []string{`"$code"`, `"$symbol"`, `"$dbPointer"`, `"$undefined"`} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return strings.Contains(text, `"$numberDecimal"`) && len(text) > 160
}
