// Package generation lets a gateway and its clients converse with Gemini.
package generation
