package generation

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzContents checks that what is let through is JSON that is let through again,
// the same, and that no address of a file is in it that is not Gemini's.
func FuzzContents(f *testing.F) {
	for _, seed := range []string{
		`[{"parts":[{"text":"a"}]}]`, `[{"role":"model","parts":[{"new":{"a":[{"file_uri":"x"}]}}]}]`, `[{"parts":[{"file_data":{"file_uri":"files/a"}}]}]`,
		`[{"parts":[{"function_response":{"name":"f","response":{"fileUri":"x"}}}]}]`, `[{"role":"model","parts":[{"text":"","thought_signature":"AA"}]}]`, `[{"parts":[{"\u0066ileData":{"fileUri":"https://x"}}]}]`,
	} {
		f.Add(seed)
	}
	part := partShape(newFileOrigins(DefaultBaseURL))
	f.Fuzz(func(t *testing.T, text string) {
		if !jsontext.Value(text).IsValid() {
			return // the body was parsed before
		}
		contents, err := parseContents(jsontext.Value(text), part)
		if err != nil {
			return
		}
		once, err := json.Marshal(contents)
		if err != nil {
			t.Fatalf("%q is let through as what is not JSON: %v", text, err)
		}
		again, err := parseContents(once, part)
		if err != nil {
			t.Fatalf("%q becomes %s, which is refused: %v", text, once, err)
		}
		if twice, _ := json.Marshal(again); !bytes.Equal(once, twice) {
			t.Fatalf("%q becomes %s, and that %s", text, once, twice)
		}
		for _, c := range contents {
			for _, p := range c.Parts {
				var has struct{ FileData *struct{ FileURI string } }
				if json.Unmarshal(p, &has) == nil && has.FileData != nil && !strings.Contains(has.FileData.FileURI, "files/") {
					t.Fatalf("%q lets %q through", text, has.FileData.FileURI)
				}
			}
		}
	})
}

// FuzzEvents checks that the SDK is given events that it understands, whatever comes.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{"data: {}\n\n", "data: {\r\ndata: }\r\n\r\n", ": ping\n\ndata: 1", "event: a\ndata:\n\ndata: [DONE]\n\n", "\n\n\n", "data", "data: a\n\n\ndata: b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := newEventQueue(io.NopCloser(strings.NewReader(text)))
		out, err := io.ReadAll(q)
		if err != nil || q.broken() != nil {
			t.Fatalf("%v, %v", err, q.broken())
		}
		for block := range strings.SplitSeq(strings.TrimSuffix(string(out), "\n\n"), "\n\n") {
			data := q.next()
			if len(out) == 0 {
				break
			}
			if want := "data: " + string(data); block != want || strings.Contains(want, "\n") {
				t.Fatalf("the SDK is given %q, the event is %q", block, data)
			}
		}
		if q.next() != nil {
			t.Fatal("there is an event that the SDK was not given")
		}
	})
}

func TestAStreamIsBoundedAsAWhole(t *testing.T) {
	t.Parallel()
	event := "data: {" + strings.Repeat(" ", 1<<20) + "}\n\n"
	var many []io.Reader
	for range 100 {
		many = append(many, strings.NewReader(event))
	}
	q := newEventQueue(io.NopCloser(io.MultiReader(many...)))
	n, err := io.Copy(io.Discard, q)
	if err != nil || n > maxAnswerBytes || !errors.Is(q.broken(), errTooLong) {
		t.Errorf("after %d bytes: %v, %v", n, err, q.broken())
	}
}
