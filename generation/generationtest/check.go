package generationtest

import "regexp"

// check checks what Google checks of a conversation.
func (g *Gemini) check(a *ask) error {
	if len(a.Contents) == 0 {
		return invalid("* GenerateContentRequest.contents: contents is not specified\n")
	}
	for i, c := range a.Contents {
		if c.Role != "" && c.Role != roleUser && c.Role != roleModel {
			return invalid("Please use a valid role: user, model.")
		}
		if len(c.Parts) == 0 {
			return invalid("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.\n", i)
		}
		for j, p := range c.Parts {
			if p.FunctionResponse != nil && p.FunctionResponse.Name == "" {
				return invalid("* GenerateContentRequest.contents[%d].parts[%d].function_response.name: Name cannot be empty.\n", i, j)
			}
			if p.empty() {
				return invalid("* GenerateContentRequest.contents[%d].parts[%d].data: required oneof field 'data' must have one initialized field\n", i, j)
			}
		}
		if err := g.checkFiles(c); err != nil {
			return err
		}
		if err := checkTurns(a.Contents, i); err != nil {
			return err
		}
	}
	if err := checkDeclarations(a.declarations()); err != nil {
		return err
	}
	if err := g.checkSignatures(a.Contents); err != nil {
		return err
	}
	return nil
}

// checkTurns checks that calls are answered one by one, and only calls.
func checkTurns(contents []content, i int) error {
	c := contents[i]
	if n := c.calls(); n > 0 && i+1 < len(contents) {
		answers := 0
		for _, p := range contents[i+1].Parts {
			if p.FunctionResponse != nil {
				answers++
			}
		}
		if answers != n {
			return invalid("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
		}
	}
	if c.responds() && (i == 0 || contents[i-1].calls() == 0) {
		return invalid("Please ensure that function response turn comes immediately after a function call turn.")
	}
	return nil
}

// functionName is what a function may be called.
var functionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$`)

// checkDeclarations checks the names of functions.
func checkDeclarations(all []declaration) error {
	seen := map[string]bool{}
	for i, d := range all {
		if !functionName.MatchString(d.Name) {
			return invalid("* GenerateContentRequest.tools[0].function_declarations[%d].name: Invalid function name. Must start with a letter or an underscore. "+
				"Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n", i)
		}
		if seen[d.Name] {
			return invalid("Duplicate function declaration found: %s", d.Name)
		}
		seen[d.Name] = true
	}
	return nil
}
