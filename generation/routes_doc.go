package generation

import "github.com/imadelakhaldev/coglex/service"

// codes returns the problem codes that every route has, and those of one besides.
func codes(more map[string]string) map[string]string {
	all := map[string]string{
		"invalid":           "400: the request is malformed; errors names the field.",
		"key_missing":       "400: neither the request nor the gateway has a key for Gemini.",
		"key_refused":       "400: Gemini refuses the key that came with the request.",
		"too_many_requests": "429: Gemini takes no more requests for now.",
		"generation_failed": "500: Gemini failed, or could not be reached; reason may have Gemini's word for it.",
		"timeout":           "504: Gemini did not answer in time.",
		"internal":          "500: the cause is in the log of the gateway, under the request_id.",
	}
	for code, text := range more {
		all[code] = text
	}
	return all
}

// bodies returns the codes of a route with a JSON body, and more besides.
func bodies(more map[string]string) map[string]string {
	all := map[string]string{
		"too_large":              "413: the body passes the limit, 20 MiB unless the host says otherwise.",
		"unsupported_media_type": "415: the body is not JSON.",
	}
	for code, text := range more {
		all[code] = text
	}
	return codes(all)
}

func docFile() *service.Doc {
	return &service.Doc{
		Description: "A form (`multipart/form-data`) with `file`, and with `key` before or after it where another key than the gateway's is to be used. " +
			"The answer is a part for `contents`. It comes when Gemini is ready to use the file, which takes its time for a video. Gemini keeps a file for two days.",
		Codes: codes(map[string]string{
			"too_large":              "413: the file passes the limit, 100 MiB unless the host says otherwise.",
			"unsupported_media_type": "415: the body is not a form.",
			"file_failed":            "422: Gemini can make nothing of the file.",
			"busy":                   "503: as many uploads as there may be are under way.",
		}),
	}
}

func docConverse() *service.Doc {
	return &service.Doc{
		Description: "`contents` is Gemini's, in snake_case or camelCase. `tools` is a list of declarations, or of Gemini's `functionDeclarations`: the calls come back as parts, for the client to make. " +
			"`functions` names functions of the gateway, which it calls itself. `config` is Gemini's generationConfig and functionCallingConfig. " +
			"The answer is the parts as Gemini sent them; they go back, unchanged, as a content of the role `model`. The header `X-Finish-Reason` says why the answer ended: `STOP`, or `MAX_TOKENS` where it is cut.\n\n" +
			"With `Accept: text/event-stream` the answer is a stream of events: `part` and `function` (the result of a function) as they come, then `usage` and `done`; or `error` with a problem.",
		Codes: bodies(map[string]string{
			"prompt_blocked": "422: Gemini refuses the prompt; reason has its word for it.",
			"answer_blocked": "422: Gemini broke off its answer; reason has its word for it.",
			"answer_cut":     "422: the answer took all its tokens before it said anything.",
			"usage_exceeded": "429: the user has used up the tokens of the day.",
			"unavailable":    "503: the gateway is about to end; in a stream.",
		}),
	}
}

func docTokens() *service.Doc {
	return &service.Doc{Description: "Takes what converse takes. It costs nothing.", Codes: bodies(nil)}
}

func docEmbed() *service.Doc {
	return &service.Doc{
		Description: "`texts` are 1 to 100. `task` is what the vectors are for, as Gemini spells it (`RETRIEVAL_DOCUMENT`, `RETRIEVAL_QUERY`, `SEMANTIC_SIMILARITY` …), `dimensions` how long they are to be.",
		Codes:       bodies(map[string]string{"usage_exceeded": "429: the user has used up the tokens of the day."}),
	}
}

func docModels() *service.Doc {
	return &service.Doc{Codes: codes(nil)}
}

func docUsage() *service.Doc {
	return &service.Doc{
		Description: "A signed-in user is told of themselves; who holds the API key alone may name any user, and is told of what was used without one where they name none.",
		Query: map[string]string{
			"day":        "A day by UTC, such as `2026-01-31`. Defaults to today.",
			"collection": "Where the user lives. Comes with `user`.",
			"user":       "The `_id` of the user.",
		},
		Codes: map[string]string{
			"invalid":              "400: the request is malformed; errors names the field.",
			"unauthenticated":      "401: there is neither an API key nor a user.",
			"not_yours":            "403: the account is another user's.",
			"not_found":            "404: the gateway keeps no accounts.",
			"database_unavailable": "503: the database is away.",
			"timeout":              "504: the database did not answer in time.",
			"internal":             "500: the cause is in the log of the gateway, under the request_id.",
		},
	}
}
