// Package nilness sees the nil pointer inside an interface that is not nil,
// such as a nil *auth.Service given as an Authenticator.
package nilness

import "reflect"

// Is reports whether v is nil or holds a nil pointer, map, slice, channel or
// function.
func Is(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Chan, reflect.Func:
		return r.IsNil()
	default:
		return false
	}
}
