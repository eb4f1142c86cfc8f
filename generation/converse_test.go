package generation_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

func TestConverseAnswersTheParts(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	uri := g.upload("a.png", "\x89PNG\r\n\x1a\n").uri()
	g.gemini.Enqueue(generationtest.Text("It looks like a sunset over the ocean."))
	a := g.post("/converse", `{
		"contents": [{"role": "user", "parts": [
			{"text": "Describe this image in one sentence."},
			{"file_data": {"mime_type": "image/png", "file_uri": "`+uri+`"}}
		]}],
		"system": "You are a helpful assistant.",
		"tools": [{"name": "getWeather", "description": "Get current weather.", "parameters":
			{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}],
		"model": "models/gemini-2.5-pro"
	}`)
	a.parts(`[{"text": "It looks like a sunset over the ocean."}]`)
	if got := a.header.Get("X-Finish-Reason"); got != "STOP" {
		t.Errorf("finish reason %q", got)
	}
	want := decode(t, `{
		"contents": [{"role": "user", "parts": [
			{"text": "Describe this image in one sentence."},
			{"fileData": {"mimeType": "image/png", "fileUri": "`+uri+`"}}
		]}],
		"systemInstruction": {"parts": [{"text": "You are a helpful assistant."}]},
		"tools": [{"functionDeclarations": [{"name": "getWeather", "description": "Get current weather.", "parameters":
			{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]}]
	}`)
	if diff := cmp.Diff(want, any(g.sent(generationtest.OpGenerate))); diff != "" {
		t.Errorf("Gemini was asked something else (-want +got):\n%s", diff)
	}
	if r := g.gemini.Requests(generationtest.OpGenerate)[0]; r.Name != "gemini-2.5-pro" || !r.HasKey(g.gemini.Key()) {
		t.Errorf("model %q, own key %t", r.Name, r.HasKey(g.gemini.Key()))
	}
}

// everyPart has each kind of part in both spellings, and what Gemini is sent.
func everyPart() map[string][3]string {
	return map[string][3]string{
		"text":         {`{"text": "a"}`, `{"text": "a"}`, `{"text": "a"}`},
		"inline data":  {`{"inline_data": {"mime_type": "image/png", "data": "AAAA"}}`, `{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}`, `{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}`},
		"file data":    {`{"file_data": {"mime_type": "image/png", "file_uri": "files/a-1"}}`, `{"fileData": {"mimeType": "image/png", "fileUri": "files/a-1"}}`, `{"fileData": {"mimeType": "image/png", "fileUri": "files/a-1"}}`},
		"display name": {`{"file_data": {"file_uri": "files/a", "display_name": "x"}}`, `{"fileData": {"fileUri": "files/a", "displayName": "x"}}`, `{"fileData": {"fileUri": "files/a", "displayName": "x"}}`},
		"video":        {`{"file_data": {"file_uri": "files/a"}, "video_metadata": {"start_offset": "1s", "end_offset": "2s", "fps": 1}}`, `{"fileData": {"fileUri": "files/a"}, "videoMetadata": {"startOffset": "1s", "endOffset": "2s", "fps": 1}}`, `{"fileData": {"fileUri": "files/a"}, "videoMetadata": {"startOffset": "1s", "endOffset": "2s", "fps": 1}}`},
		"function call": {
			`{"function_call": {"id": "1", "name": "f", "args": {"snake_case": {"file_data": 1}}}, "thought_signature": "AAAA"}`,
			`{"functionCall": {"id": "1", "name": "f", "args": {"snake_case": {"file_data": 1}}}, "thoughtSignature": "AAAA"}`,
			`{"functionCall": {"id": "1", "name": "f", "args": {"snake_case": {"file_data": 1}}}, "thoughtSignature": "AAAA"}`,
		},
		"function response": {
			`{"function_response": {"id": "1", "name": "f", "response": {"some_key": [1.50, 12345678901234567890]}}}`,
			`{"functionResponse": {"id": "1", "name": "f", "response": {"some_key": [1.50, 12345678901234567890]}}}`,
			`{"functionResponse": {"id": "1", "name": "f", "response": {"some_key": [1.50, 12345678901234567890]}}}`,
		},
		"code":   {`{"executable_code": {"language": "PYTHON", "code": "1"}}`, `{"executableCode": {"language": "PYTHON", "code": "1"}}`, `{"executableCode": {"language": "PYTHON", "code": "1"}}`},
		"result": {`{"code_execution_result": {"outcome": "OUTCOME_OK", "output": "1"}}`, `{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}`, `{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}`},
	}
}

func TestAReplyIsReadAsOneText(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Stream(generationtest.Thought("well"), generationtest.Text(`{"a":`), generationtest.Part(map[string]any{"inlineData": map[string]any{"mimeType": "a/b", "data": "aa=="}}), generationtest.Text("1}")))
	reply, err := g.gen.Converse(t.Context(), user("hi"))
	if err != nil || reply.Text() != `{"a":1}` {
		t.Errorf("got %+v, %v", reply, err)
	}
}

func TestBothSpellingsAreTheSameOnTheWire(t *testing.T) {
	t.Parallel()
	for name, spellings := range everyPart() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			for _, part := range spellings[:2] {
				g.post("/converse", `{"contents": [{"parts": [`+part+`]}]}`) // which Gemini refuses where it knows no such file
				want := decode(t, `[{"role": "user", "parts": [`+spellings[2]+`]}]`)
				if diff := cmp.Diff(want, g.sent(generationtest.OpGenerate)["contents"]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", part, diff)
				}
			}
		})
	}
}

func TestWhatGeminiSendsComesBackUnchanged(t *testing.T) {
	t.Parallel()
	const sent = `[{"text":"thinking","thought":true},` +
		`{"functionCall":{"id":"c1","name":"f","args":{"big":12345678901234567890,"text":"<&>\u2028"}},"thoughtSignature":"c2lnbmF0dXJl"},` +
		`{"brandNew":{"deep":[1.0,{"x":null}]},"partMetadata":{"a":1}},{"text":"","thoughtSignature":"ZW5k"}]`
	bodies := make(chan []byte, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- body
		_, _ = io.WriteString(w, `{"candidates":[{"content":{"role":"model","parts":`+sent+`},"finishReason":"STOP"}]}`)
	}))
	t.Cleanup(server.Close)
	g := newGateway(t, &generation.Options{BaseURL: server.URL})
	a := g.converse("hi", "").want(http.StatusOK)
	if a.body != sent {
		t.Errorf("the parts are\n%s, Gemini sent\n%s", a.body, sent)
	}
	g.post("/converse", `{"contents": [{"parts": [{"text": "hi"}]}, {"role": "model", "parts": `+a.body+`}, {"parts": [{"function_response": {"id": "c1", "name": "f", "response": {}}}]}]}`).want(http.StatusOK)
	<-bodies
	body := string(<-bodies)
	if !strings.Contains(body, "12345678901234567890") || !strings.Contains(body, "1.0") {
		t.Errorf("numbers have changed: %s", body)
	}
	want := decode(t, `{"contents": [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": `+sent+`},
		{"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": {}}}]}]}`)
	if diff := cmp.Diff(want, decode(t, body)); diff != "" {
		t.Errorf("Gemini gets something else back (-want +got):\n%s", diff)
	}
}

func TestMalformedContentsAreRefusedWithTheirPath(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for contents, path := range map[string]string{
		``: `"contents"`, `[]`: `"contents"`, `{}`: `"contents"`, `"hi"`: `"contents"`, `null`: `"contents"`,
		`[{"parts": [{"text": "a"}]}, 1]`: `"contents[1]"`,
		`[{}]`:                            `"contents[0].parts"`,
		`[{"parts": []}]`:                 `"contents[0].parts"`,
		`[{"parts": {}}]`:                 `"contents[0].parts"`,
		`[{"role": "system", "parts": [{"text": "a"}]}]`:                                            `"contents[0].role"`,
		`[{"role": 1, "parts": [{"text": "a"}]}]`:                                                   `"contents[0].role"`,
		`[{"Role": "user", "parts": [{"text": "a"}]}]`:                                              `"contents[0].Role"`,
		`[{"parts": [{"text": "a"}, {}]}]`:                                                          `"contents[0].parts[1]"`,
		`[{"parts": [{"text": "a"}, null]}]`:                                                        `"contents[0].parts[1]"`,
		`[{"parts": ["a"]}]`:                                                                        `"contents[0].parts[0]"`,
		`[{"parts": [{"text": ""}]}]`:                                                               `"contents[0].parts[0].text"`,
		`[{"parts": [{"text": 1}]}]`:                                                                `"contents[0].parts[0].text"`,
		`[{"parts": [{"txt": "a"}]}]`:                                                               `"contents[0].parts[0].txt"`,
		`[{"parts": [{"text": "a", "new": 1}]}]`:                                                    `"contents[0].parts[0].new"`,
		`[{"parts": [{"thought_signature": "AAAA"}]}]`:                                              `"contents[0].parts[0]"`,
		`[{"parts": [{"text": "a", "inlineData": {"data": "AA", "mimeType": "a/b"}}]}]`:             `"contents[0].parts[0]"`,
		`[{"parts": [{"inlineData": {"data": "AA"}}]}]`:                                             `"contents[0].parts[0].inlineData.mimeType"`,
		`[{"parts": [{"inline_data": {"data": "", "mime_type": "a/b"}}]}]`:                          `"contents[0].parts[0].inline_data.data"`,
		`[{"parts": [{"fileData": {"mimeType": "a/b"}}]}]`:                                          `"contents[0].parts[0].fileData.fileUri"`,
		`[{"parts": [{"fileData": {"fileUri": "files/a", "file_uri": "files/b"}}]}]`:                `"contents[0].parts[0].fileData.fileUri"`,
		`[{"parts": [{"fileData": {"fileUri": "files/a", "x": 1}}]}]`:                               `"contents[0].parts[0].fileData.x"`,
		`[{"parts": [{"functionCall": {"args": {}}}]}]`:                                             `"contents[0].parts[0].functionCall.name"`,
		`[{"parts": [{"functionCall": {"name": "f", "args": []}}]}]`:                                `"contents[0].parts[0].functionCall.args"`,
		`[{"parts": [{"functionResponse": {"name": "f"}}]}]`:                                        `"contents[0].parts[0].functionResponse.response"`,
		`[{"role": "model", "parts": [{}]}]`:                                                        `"contents[0].parts[0]"`,
		`[{"role": "model", "parts": [{"new": {"file_uri": "x"}}]}]`:                                `"contents[0].parts[0].new"`,
		`[{"role": "model", "parts": [{"new": [{"a": {"fileUri": "x"}}]}]}]`:                        `"contents[0].parts[0].new"`,
		`[{"role": "model", "parts": [{"fileData": {"fileUri": "https://evil.example/files/a"}}]}]`: `"contents[0].parts[0].fileData.fileUri"`,
		`[{"parts": [{"text": "a", "\u0000\u202e": 1}]}]`:                                           `"contents[0].parts[0].??"`,
	} {
		body := `{"contents": ` + contents + `}`
		if contents == "" {
			body = `{}`
		}
		g.post("/converse", body).refused(http.StatusBadRequest, "invalid", `"field":`+path)
	}
	if n := len(g.gemini.Requests()); n > 0 {
		t.Errorf("Gemini was asked %d times", n)
	}
}

func TestToolsAreDeclaredInEitherForm(t *testing.T) {
	t.Parallel()
	const declared = `[{"functionDeclarations": [{"name": "a"}, {"name": "b", "parametersJsonSchema": {"type": "object", "snake_case": 1}}]}]`
	for _, tools := range []string{
		`[{"name": "a"}, {"name": "b", "parameters_json_schema": {"type": "object", "snake_case": 1}}]`,
		`[{"functionDeclarations": [{"name": "a"}, {"name": "b", "parametersJsonSchema": {"type": "object", "snake_case": 1}}]}]`,
		`[{"name": "a"}, {"function_declarations": [{"name": "b", "parametersJsonSchema": {"type": "object", "snake_case": 1}}]}]`,
	} {
		g := newGateway(t, nil)
		g.gemini.Enqueue(generationtest.Call("a", nil))
		a := g.converse("hi", `, "tools": `+tools).want(http.StatusOK)
		if !strings.Contains(a.body, `"functionCall"`) {
			t.Errorf("the call does not come back: %s", a.body)
		}
		if diff := cmp.Diff(decode(t, declared), g.sent(generationtest.OpGenerate)["tools"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tools, diff)
		}
	}
}

func TestToolsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{ServerTools: []string{"codeExecution"}})
	for tools, path := range map[string]string{
		`{}`: `"tools"`, `[1]`: `"tools[0]"`, `[{}]`: `"tools[0]"`,
		`[{"name": ""}]`: `"tools[0].name"`, `[{"name": "a b"}]`: `"tools[0].name"`, `[{"name": "a", "x": 1}]`: `"tools[0].x"`,
		`[{"name": "a"}, {"name": "a"}]`:                                        `"tools[1].name"`,
		`[{"name": "a", "parameters": {}, "parametersJsonSchema": {}}]`:         `"tools[0]"`,
		`[{"functionDeclarations": [{"description": "a"}]}]`:                    `"tools[0].functionDeclarations[0].name"`,
		`[{"googleSearch": {}}]`:                                                `"tools[0].googleSearch"`,
		`[{"google_search": {}}]`:                                               `"tools[0].google_search"`,
		`[{"functionDeclarations": [], "urlContext": {}}]`:                      `"tools[0].urlContext"`,
		`[{"mcpServers": [{"streamableHttpTransport": {"url": "https://x"}}]}]`: `"tools[0].mcpServers"`,
		`[{"codeExecution": 1}]`:                                                `"tools[0].codeExecution"`,
	} {
		g.converse("hi", `, "tools": `+tools).refused(http.StatusBadRequest, "invalid", `"field":`+path)
	}
	g.converse("hi", `, "tools": [{"code_execution": {}}]`).want(http.StatusOK)
	if diff := cmp.Diff(decode(t, `[{"codeExecution": {}}]`), g.sent(generationtest.OpGenerate)["tools"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConfigIsSentInEitherSpelling(t *testing.T) {
	t.Parallel()
	for _, config := range []string{
		`{"temperature": 0, "topP": 0.5, "maxOutputTokens": 5, "stopSequences": ["x"], "responseJsonSchema": {"type": "object", "my_key": 1}, "thinkingConfig": {"thinkingBudget": 0}, "functionCallingConfig": {"mode": "NONE"}}`,
		`{"temperature": 0, "top_p": 0.5, "max_output_tokens": 5, "stop_sequences": ["x"], "response_json_schema": {"type": "object", "my_key": 1}, "thinking_config": {"thinking_budget": 0}, "function_calling_config": {"mode": "NONE"}}`,
	} {
		g := newGateway(t, nil)
		g.converse("hi", `, "config": `+config).want(http.StatusOK)
		sent := g.sent(generationtest.OpGenerate)
		want := decode(t, `{"temperature": 0, "topP": 0.5, "maxOutputTokens": 5, "stopSequences": ["x"], "responseMimeType": "application/json",
			"responseJsonSchema": {"type": "object", "my_key": 1}, "thinkingConfig": {"thinkingBudget": 0}}`)
		if diff := cmp.Diff(want, sent["generationConfig"]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(decode(t, `{"functionCallingConfig": {"mode": "NONE"}}`), sent["toolConfig"]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestConfigThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for config, path := range map[string]string{
		`[]`: `"config"`, `{"temperature": "hot"}`: `"config.temperature"`, `{"maxOutputTokens": 1.5}`: `"config.maxOutputTokens"`,
		`{"candidateCount": 8}`: `"config.candidateCount"`, `{"baseUrl": "https://x"}`: `"config.baseUrl"`, `{"http_options": {}}`: `"config.http_options"`,
		`{"safetySettings": []}`: `"config.safetySettings"`, `{"cachedContent": "cachedContents/x"}`: `"config.cachedContent"`,
		`{"thinkingConfig": {"x": 1}}`: `"config.thinkingConfig.x"`, `{"stopSequences": [1]}`: `"config.stopSequences"`, `{"top_p": 1, "topP": 1}`: `"config.topP"`,
	} {
		g.converse("hi", `, "config": `+config).refused(http.StatusBadRequest, "invalid", `"field":`+path)
	}
}
