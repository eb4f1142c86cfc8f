// Package generationtest is a Gemini endpoint in the process: it speaks the wire
// format of the Gemini API to Google's own SDK, unmodified, and says what it is told
// to. Tests need no network and no key, and a gateway can be tried without one.
//
//	gemini, err := generationtest.Start(ctx, nil)
//	defer gemini.Close()
//	gen, err := generation.New(db, gemini.Key(), &generation.Options{BaseURL: gemini.URL()})
//
//	gemini.Enqueue(
//		generationtest.Call("getWeather", map[string]any{"city": "Paris"}),
//		generationtest.Text("It is sunny in Paris."),
//	)
//
// # Scripts
//
// Each request for content takes one [Reply] from the queue. A reply is made of what
// is said ([Text], [Thought], [Call], [Part], [Finish], [Blocked] …) and of what
// happens ([Wait], [Pause], [Hang], [Cut], [Fail], [Raw] …); [Stream] puts them one
// after the other and [Chunk] into one piece of a stream:
//
//	generationtest.Stream(generationtest.Text("one "), generationtest.Wait(ch), generationtest.Fail(503, "overloaded"))
//
// The same reply serves both ways of asking: a request for a stream gets each piece
// as it is reached, any other all of it as one answer. [Gemini.EnqueueFor] scripts
// the failures of other operations, [Gemini.Answer] computes answers, and
// [Gemini.Requests] tells what was received.
//
// # Without a script
//
// The stand-in answers, and says that it is one. It repeats what it was told; fills
// a JSON Schema that the answer must follow; and where a prompt speaks of a declared
// function, as "weather" does of getWeather, it calls that function with arguments
// from the prompt, several at once where there are several, and then puts the results
// into words. The same request gets the same answer.
//
// # What is checked
//
// Requests are refused as Google refuses them, in Google's words as far as they are
// known: without a good key; with a member that there is not, such as file_data in
// place of fileData (Google itself takes both spellings; here only what the SDK writes
// is taken); with contents that are empty or of an unknown role; for a model that
// there is not; with functions of one name, or calls and responses that do not
// answer each other; with files that are unknown or still processed.
//
// Function calls have thought signatures as with Gemini 3: the first call of an
// answer has one, which must come back in that very part while the turn lasts, or the
// request is 400. [Options].Unsigned is for older models.
//
// # What is not
//
// There is no model. Tokens are counted as a quarter of the bytes, embeddings mean
// nothing, schemas of functions are not enforced, and safety settings, caches, tuned
// models, batches and the Live API are not there. Streams are server-sent events only.
package generationtest
