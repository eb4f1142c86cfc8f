// Package generationtest is a Gemini endpoint in the process: it speaks the wire
// format of the Gemini API to Google's own SDK, and says what it is told to.
package generationtest
