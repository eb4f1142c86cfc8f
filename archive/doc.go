// Package archive keeps files.
package archive
