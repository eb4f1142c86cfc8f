package generationtest_test

import (
	"net/http"
	"testing"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// start returns an endpoint and the SDK's client of it.
func start(t *testing.T, opts *generationtest.Options) (*generationtest.Server, *genai.Client) {
	t.Helper()
	s, err := generationtest.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, client(t, s.URL(), s.Key())
}

// client returns the SDK's client, with connections of its own.
func client(t *testing.T, url, key string) *genai.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI, HTTPClient: &http.Client{Transport: transport},
		HTTPOptions: genai.HTTPOptions{BaseURL: url},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const flash = "gemini-2.5-flash"

func TestTheSDKGetsWhatIsScripted(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(generationtest.Text("hello"))
	res, err := c.Models.GenerateContent(t.Context(), flash, genai.Text("hi"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Text(); got != "hello" || res.Candidates[0].FinishReason != genai.FinishReasonStop {
		t.Errorf("got %q, finish %q", got, res.Candidates[0].FinishReason)
	}
	if u := res.UsageMetadata; u.PromptTokenCount != 1 || u.CandidatesTokenCount != 2 || u.TotalTokenCount != 3 {
		t.Errorf("usage %+v", u)
	}
}

func TestTheSDKGetsAStreamPieceByPiece(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	goOn := make(chan struct{})
	s.Enqueue(generationtest.Stream(generationtest.Text("one "), generationtest.Wait(goOn), generationtest.Text("two")))
	var got []string
	for res, err := range c.Models.GenerateContentStream(t.Context(), flash, genai.Text("hi"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, res.Text()+string(res.Candidates[0].FinishReason))
		if len(got) == 1 {
			close(goOn) // the first piece is here while the second is held back
		}
	}
	if len(got) != 2 || got[0] != "one " || got[1] != "twoSTOP" {
		t.Errorf("got %q", got)
	}
}
