package execution

import (
	"bytes"
	"fmt"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// The members of the body that the first generation of Coglex took.
const (
	memberArgs   = "args"
	memberKwargs = "kwargs"
)

// named returns the input of a body of the form {"args": […], "kwargs": {…}}, whose
// args are the members of the input in the order of the struct's fields. Every other
// body is an input as it is, as is every body for a function that has a member of
// either name, or whose input is no struct.
func (f *function) named(body jsontext.Value) (jsontext.Value, error) {
	if f.input.members == nil || f.input.members[memberArgs] != nil || f.input.members[memberKwargs] != nil {
		return body, nil
	}
	if !bytes.Contains(body, []byte(memberArgs)) { // kwargs has it too
		return body, nil
	}
	var members map[string]jsontext.Value
	if jsonv2.Unmarshal(body, &members) != nil || !onlyGenesis(members) {
		return body, nil
	}
	var args []jsontext.Value
	if given, ok := members[memberArgs]; ok && (given.Kind() != '[' || jsonv2.Unmarshal(given, &args) != nil) {
		return nil, service.Invalid(memberArgs, "must be an array")
	}
	input := map[string]jsontext.Value{}
	if given, ok := members[memberKwargs]; ok && (given.Kind() != '{' || jsonv2.Unmarshal(given, &input) != nil) {
		return nil, service.Invalid(memberKwargs, "must be an object")
	}
	if len(args) > len(f.fields) {
		return nil, service.Invalid(memberArgs, fmt.Sprintf("must have %d elements at most", len(f.fields)))
	}
	for i, arg := range args {
		if _, twice := input[f.fields[i]]; twice {
			return nil, service.Invalid(fmt.Sprintf("args[%d]", i), "is given in kwargs too")
		}
		input[f.fields[i]] = arg
	}
	return jsonv2.Marshal(input, jsonv2.Deterministic(true))
}

// onlyGenesis reports whether a body has args, kwargs or both, and nothing else.
func onlyGenesis(members map[string]jsontext.Value) bool {
	for name := range members {
		if name != memberArgs && name != memberKwargs {
			return false
		}
	}
	return len(members) > 0
}
