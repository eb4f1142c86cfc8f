// Package generation lets a gateway and its clients converse with Gemini: in one
// piece or streamed, with files, with functions of the client's or of the gateway's
// own, and with accounts of what it took.
//
//	gen, err := generation.New(db, geminiKey, nil)
//	err = app.Mount(e, gen) // at /service/generation/v1, behind the API key
//
//	reply, err := gen.Converse(ctx, generation.Request{
//		Contents: []generation.Content{generation.User(generation.Text("hello"))},
//	})
//
// # Routes
//
//	POST /converse   {contents, system?, tools?, functions?, config?, model?, key?} → parts
//	POST /file       a form with file, key? → {fileData: {fileUri, mimeType}}
//	POST /tokens     {contents, system?, tools?, model?, key?} → {tokens}
//	POST /embed      {texts, task?, dimensions?, model?, key?} → {embeddings}
//	GET  /models     the models that the gateway's key may use
//	GET  /usage      what was used on a day: day collection user
//
// [Service.Routes] has the problem codes of each route.
//
// # Contents and parts
//
// The contents of a request are Gemini's, in snake_case or camelCase: turns of the
// user (the default) and of the model, each with parts that are text, inlineData,
// fileData, functionCall, functionResponse, executableCode or codeExecutionResult.
// What is empty or unknown is 400 with its path, such as contents[0].parts[1].
//
// The answer is the parts of the first candidate, byte for byte as Gemini sent them.
// Put them back as they are, as a turn of the model: newer models refuse a
// conversation whose thought signatures are missing. In a turn of the model, members
// that this package does not know are kept, for Gemini sent them; in a user's they
// are refused.
//
// A file is one that was uploaded to Gemini: "files/…", or its address at Google or
// at Options.BaseURL. Over HTTP every other address is 400. From Go, contents are
// sent as they are.
//
// A model is a name, "models/x" or "x". By default it is [DefaultModel], which Google is
// about to retire: name your own in [Options].
//
// # Functions
//
// What a request declares in tools is declared to Gemini and nothing else: a call
// comes back as a part, and the client sends the result as a functionResponse in its
// next request. Tools of Google's own, such as googleSearch, are 400 unless
// Options.ServerTools has them.
//
// The functions of a [Toolset] are called here. Over HTTP a request names those it
// wants in functions, out of Options.Toolset; from Go it brings a Toolset of its own.
// A name can not be both declared and called here. See [Service.Converse] for how
// such a conversation goes and ends.
//
// # Browsers
//
// A browser has no API key. It talks to handlers that the host mounts by itself,
// behind Authenticated, and so does a chat:
//
//	e.POST("/chat", gen.HandleConverse, users.Authenticated())
//
// Whoever is signed in then decides all that a request may say: the model and the
// instruction, the configuration, functions of Options.Toolset, which are called as
// them, and any file at Gemini whose name they know, for Gemini does not know users.
// The gateway pays. An interceptor of [Generating] can set the model and the
// instruction and refuse the rest, Options.DailyLimit bounds the tokens, and
// Options.NoRequestKeys keeps keys out. Files, vectors and counts ask no interceptor
// and take no tokens from the limit: a host that mounts their handlers for everybody
// bounds them by middleware of its own.
//
// # Streams
//
// With "Accept: text/event-stream" converse answers with events, each with JSON:
//
//	part       a part of the answer, as it comes
//	function   the result of a function, between what the model says
//	usage      {input, output, cached, thoughts, total}
//	done       {finish_reason, model}: the answer is whole
//	error      a problem: nothing more comes, and the answer is not whole
//
// Comments (": ping") come while there is nothing to say. What fails before the first
// event or comment is an ordinary problem. When the client leaves, Gemini is left at
// once; [Service.Stream] does the same when its loop breaks. An answer that Gemini
// cuts off without a reason is an error, and so is one of more than 64 MiB.
//
// # Failures
//
// Calls are tried again, up to Options.Attempts times, where Gemini says 429 or 5xx
// or is not reached, after waits that grow and that are never shorter than what Gemini
// asks for; but not past the deadline of the context, nor where Gemini asks for more
// than Options.RetryWait: then it is 429 with Retry-After. A stream is not tried again
// once a part of it came, an upload once bytes were sent of a reader that is no io.Seeker.
//
// The methods return [*BlockedError], [*FinishError], [*UpstreamError],
// [*UsageError], [ErrNoKey], [ErrNoAnswer], [ErrBusy], [ErrTooLarge] and
// [ErrFileFailed]; a *service.Problem that names what is wrong with the request; and
// the errors of a context that ends. Over HTTP Gemini's own words never show, but for
// the one in capitals in which it says why.
//
// # Keys
//
// The key of the gateway goes into the header of each call, at the very end: the SDK
// does not know it. A request may bring a key of its own, unless Options.NoRequestKeys
// is set. No key is logged, kept, or part of an error or an event. They only ever go
// to Options.BaseURL: no request can change it, redirects are not followed, and the
// variables that the SDK reads from the environment have no effect. (Where both
// GOOGLE_API_KEY and GEMINI_API_KEY are set, the SDK says so to the global logger,
// without their values. The usual variables for proxies hold, unless
// Options.HTTPClient says otherwise.)
//
// # Events
//
// [Generating] is asked before a conversation and may refuse it; [Generated] tells of
// each call of Gemini, what it took and how it ended, that of a client who left too.
// [ToolCalling] and [ToolCalled] are the same for the functions of a [Toolset].
//
// # Accounts
//
// What was used is added up by user and day in [CollectionUsage], once for each call.
// [Service.UsageOf] and GET /usage tell it, and Options.DailyLimit bounds it for
// signed-in users.
//
// # Testing
//
// Package generationtest is a Gemini in the process, for the tests of a gateway.
package generation
