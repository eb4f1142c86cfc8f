// Package execution makes Go functions callable by name.
package execution
