package execution

import "github.com/imadelakhaldev/coglex/service"

func docExecute() *service.Doc {
	return &service.Doc{
		Description: "The body is the function's input, the answer its output, as `GET /functions` describes them. " +
			"A function that takes nothing may be called without a body. `{\"args\": […], \"kwargs\": {…}}` is taken too: " +
			"args are the members of the input in the order of its description. " +
			"With an `Idempotency-Key`, where the function takes one, it is executed once and its answer repeated with `Idempotency-Replayed: true`.",
		Codes: map[string]string{
			"invalid":                 "400: the input is not what the function takes; errors names the fields.",
			"unauthenticated":         "401: the function needs a signed-in user.",
			"scope_missing":           "403: the function needs a scope that the API key was not granted.",
			"function_unknown":        "404: there is no such function.",
			"idempotency_in_progress": "409: a call with this Idempotency-Key is under way.",
			"too_large":               "413: the body is too large.",
			"unsupported_media_type":  "415: the body is no JSON in UTF-8.",
			"idempotency_key_reused":  "422: this Idempotency-Key was used with another input.",
			"function_failed":         "500: the function failed; the cause is in the log of the gateway, under the request_id.",
			"result_too_large":        "500: the function returned more than an answer may hold.",
			"internal":                "500: the cause is in the log of the gateway, under the request_id.",
			"busy":                    "503: the function runs as often as it may at once.",
			"database_unavailable":    "503: the database, which an Idempotency-Key needs, is away.",
			"timeout":                 "504: the function did not return in time.",
		},
	}
}

func docFunctions() *service.Doc {
	return &service.Doc{
		Description: "Input and output are JSON Schemas (2020-12). Members come in the order of the function's own description.",
		Codes: map[string]string{
			"invalid":  "400: the request is malformed; errors names the field.",
			"internal": "500: the cause is in the log of the gateway, under the request_id.",
		},
	}
}
