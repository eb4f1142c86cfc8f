package generationtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// sign gives the function calls among the parts their ids, and the first one of the
// answer its thought signature, as Gemini 3 does: parallel calls have one.
func (a *answer) sign(parts []part) []part {
	out := make([]part, len(parts))
	for i, p := range parts {
		call, ok := p["functionCall"].(map[string]any)
		if !ok {
			out[i] = p
			continue
		}
		a.calls++
		signed := part{}
		for k, v := range p {
			signed[k] = v
		}
		signed["functionCall"] = withID(call, fmt.Sprintf("%s-%d", a.id, a.calls))
		if _, has := p["thoughtSignature"]; !has && !a.signed {
			signed["thoughtSignature"] = signature(call["name"], call["args"])
		}
		a.signed = true
		out[i] = signed
	}
	return out
}

// withID returns a call that has an id.
func withID(call map[string]any, id string) map[string]any {
	out := map[string]any{"id": id}
	for k, v := range call {
		out[k] = v
	}
	return out
}

// signature returns the thought signature of a call. It is bound to what is called,
// so that one which comes back at another call, or with other arguments, is known.
func signature(name, args any) string {
	text, err := json.Marshal([]any{name, args}) // sorts the members of args
	if err != nil {
		return ""
	}
	mac := hmac.New(sha256.New, []byte("coglex stand-in for thought signatures"))
	mac.Write(text)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// checkSignatures checks the calls of the turn that is under way: those after the last
// thing that a person said. The first call of each content needs its signature.
func (g *Gemini) checkSignatures(contents []content) *apiError {
	begin := 0
	for i, c := range contents {
		if c.Role != roleModel && !c.responds() {
			begin = i
		}
	}
	for i := begin; i < len(contents); i++ {
		if err := g.checkTurn(contents[i], i+1); err != nil {
			return err
		}
	}
	return nil
}

// checkTurn checks the calls of one content. A signature that the script gave is
// good whatever it is.
func (g *Gemini) checkTurn(c content, position int) *apiError {
	first := true
	for _, p := range c.Parts {
		if p.FunctionCall == nil {
			continue
		}
		if p.ThoughtSignature == "" && first && !g.opts.Unsigned {
			return invalid("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, "+
				"and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:%s` , position %d. "+
				"Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.", p.FunctionCall.Name, position)
		}
		first = false
		if p.ThoughtSignature == "" || g.script.given(p.ThoughtSignature) {
			continue
		}
		if p.ThoughtSignature != signature(p.FunctionCall.Name, orEmpty(p.FunctionCall.Args)) {
			return invalid("Corrupted thought signature.")
		}
	}
	return nil
}

// orEmpty returns the arguments of a call; the SDK leaves out empty ones.
func orEmpty(args map[string]any) map[string]any {
	if args == nil {
		return map[string]any{}
	}
	return args
}
