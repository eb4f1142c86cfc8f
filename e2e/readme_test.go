package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the commands of README.md really print into it")

// TestReadmeWalkthrough runs every command of README.md's walkthrough, in one
// shell, against a fresh quickstart, and compares what they print.
func TestReadmeWalkthrough(t *testing.T) {
	t.Parallel()
	path := filepath.Join(root(t), "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, t.TempDir(), "SERVER_SECRET="+secret)
	blocks := consoleBlocks(string(text))
	if len(blocks) < 5 {
		t.Fatalf("README.md has %d console blocks", len(blocks))
	}
	real := run(t, blocks, g.URL, t.TempDir())
	if *update {
		if err := os.WriteFile(path, []byte(rewrite(string(text), blocks, real)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for i, block := range blocks {
		if diff := cmp.Diff(settle(block.text()), settle(real[i].text())); diff != "" {
			t.Errorf("README.md shows something else than the gateway (-shown +real; go test -update writes it):\n%s", diff)
		}
	}
}

// TestReadmeGateway holds the gateway of README.md against the program it quotes.
func TestReadmeGateway(t *testing.T) {
	t.Parallel()
	path := filepath.Join(root(t), "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join(root(t), "examples", "gateway", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("(?s)(<!-- gateway:[^\n]*\n```go\n)(.*?)(```\n)")
	found := quoted.FindStringSubmatch(string(text))
	if found == nil {
		t.Fatal("README.md quotes no gateway")
	}
	_, want, _ := strings.Cut(string(program), "package main\n")
	want = "package main\n" + want
	if *update {
		changed := quoted.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(want, "$", "$$")+"${3}")
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, found[2]); diff != "" {
		t.Errorf("README.md quotes another gateway (-program +README):\n%s", diff)
	}
}

// step is a command and what it prints.
type step struct{ command, output string }

// block is a ```console block: steps, each begun by "$ ".
type block []step

func (b block) text() string {
	var parts []string
	for _, s := range b {
		parts = append(parts, "$ "+s.command+"\n"+s.output)
	}
	return strings.Join(parts, "\n")
}

var fence = regexp.MustCompile("(?s)```console\n(.*?)```\n")

func consoleBlocks(text string) []block {
	var blocks []block
	for _, found := range fence.FindAllStringSubmatch(text, -1) {
		var b block
		for line := range strings.Lines(found[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				b = append(b, step{command: strings.TrimSuffix(command, "\n")})
			} else if line != "\n" && len(b) > 0 {
				b[len(b)-1].output += line
			}
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// run runs the commands in one shell and returns the blocks with what it printed.
func run(t *testing.T, blocks []block, url, tmp string) []block {
	t.Helper()
	const mark = "=====next====="
	var script strings.Builder
	for _, b := range blocks {
		for _, s := range b {
			command := strings.ReplaceAll(s.command, "http://127.0.0.1:5000", url)
			command = strings.ReplaceAll(command, "/tmp/", tmp+"/")
			fmt.Fprintf(&script, "%s\necho; echo %s\n", command, mark)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the walkthrough fails: %v\n%s", err, out)
	}
	outputs := strings.Split(string(out), mark+"\n")
	real := make([]block, len(blocks))
	next := 0
	for i, b := range blocks {
		for _, s := range b {
			printed := tokens.ReplaceAllString(strings.TrimSpace(outputs[next]), "$1…")
			if printed != "" {
				printed += "\n"
			}
			real[i] = append(real[i], step{command: s.command, output: printed})
			next++
		}
	}
	return real
}

// rewrite puts the real blocks where the shown ones are.
func rewrite(text string, blocks, real []block) string {
	i := -1
	return fence.ReplaceAllStringFunc(text, func(string) string {
		i++
		return "```console\n" + real[i].text() + "```\n"
	})
}

// tokens are shown by their beginnings only: whole ones would fill the page, and
// worry scanners for secrets.
var tokens = regexp.MustCompile(`(eyJ|cgr_)[\w.-]{20,}`)

// volatile is what differs from run to run, and what it is replaced by.
var volatile = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`\n+`), "\n"}, // empty lines are there for the eye
	{regexp.MustCompile(`\b[0-9a-f]{24}\b`), "<id>"},
	{regexp.MustCompile(`"request_id":"[^"]+"`), `"request_id":"<id>"`},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "<time>"},
	{regexp.MustCompile(`"_version":\d+`), `"_version":<n>`},
	{regexp.MustCompile(`cs_test_\w+`), "<session>"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "<url>"},
}

// settle replaces what differs from run to run.
func settle(text string) string {
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.by)
	}
	return text
}
