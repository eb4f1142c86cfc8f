package storage

import "github.com/imadelakhaldev/coglex/service"

// query documents the parameter that several routes have.
const query = "Extended JSON object: the filter that the documents match."

// codes returns the problem codes that every route has, and those of one besides.
func codes(more map[string]string) map[string]string {
	all := map[string]string{
		"invalid":              "400: the request is malformed; errors names the field.",
		"internal":             "500: the cause is in the log of the gateway, under the request_id.",
		"collection_invalid":   "400: no collection can be called that.",
		"collection_reserved":  "403: the collection is reserved.",
		"timeout":              "504: the database did not answer in time.",
		"database_unavailable": "503: the database is away.",
	}
	for code, text := range more {
		all[code] = text
	}
	return all
}

// queries returns the codes of what the operator check refuses, and more besides.
func queries(more map[string]string) map[string]string {
	all := map[string]string{
		"operator_not_allowed": "400: an operator that is not on the lists; errors has its path.",
		"invalid_query":        "400: a query of a wrong shape.",
		"field_reserved":       "400: a field that is reserved.",
		"too_complex":          "400: a bound is passed.",
		"unsupported":          "501: the database lacks the feature.",
		"too_expensive":        "422: this takes more memory than the database gives to one operation.",
	}
	for code, text := range more {
		all[code] = text
	}
	return codes(all)
}

func docFind() *service.Doc {
	return &service.Doc{
		Description: "With `Accept: application/x-ndjson` the answer is a document a line, all that match unless `limit` is given. " +
			"Otherwise it is an array, and `Link` with `rel=\"next\"` leads to the next page.",
		Query: map[string]string{
			"query": query,
			"keys":  "A projection, or a JSON array of the names of the fields that are wanted.",
			"sort":  "Extended JSON object of fields, each 1 or -1; `_id` is added as tie-break. Defaults to `_id`, and for NDJSON and where all fits into one page to the database's own order.",
			"limit": "How many documents, 1 to 1000. Defaults to 100.",
			"skip":  "How many documents to leave out. Defaults to 0.",
			"count": "`true` adds the header `X-Total-Count`.",
		},
		Codes: queries(map[string]string{
			"answer_too_large": "422: the array passes 16 MiB.",
			"busy":             "503: too many exports at once.",
		}),
	}
}

func docFindOne() *service.Doc {
	return &service.Doc{
		Description: "The id is looked for as a string and, where it has 24 hex digits, as an ObjectId. " +
			"The `ETag` is that of the whole document; with `If-None-Match` the answer may be 304.",
		Query: map[string]string{"keys": "A projection, or a JSON array of the names of the fields that are wanted."},
		Codes: queries(map[string]string{"not_found": "404: there is no such document."}),
	}
}

func docInsert() *service.Doc {
	return &service.Doc{
		Description: "The body has either `document` or `documents`, 1000 at most. An `_id` may be given: a string, a number or an ObjectId.",
		Codes: queries(map[string]string{
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
			"duplicate_key":          "409: a key exists already; ids are those that went in, index is the document that was refused.",
			"validation_failed":      "422: the collection's own validation refuses the document.",
			"field_not_allowed":      "403: a field that the gateway sets.",
			"too_large":              "413: the body is too large.",
		}),
	}
}

func docPatchOne() *service.Doc {
	return &service.Doc{
		Description: "`document` has update operators, or is a plain document, which means `$set`. The answer has the new `ETag`.",
		Codes: queries(map[string]string{
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
			"validation_failed":      "422: the collection's own validation refuses the document.",
			"version_invalid":        "409: the document has a _version that is no number, and others write it.",
			"not_found":              "404: there is no such document.",
			"precondition_failed":    "412: the document is not what If-Match says.",
			"duplicate_key":          "409: a unique key exists already.",
			"field_not_allowed":      "403: a field that the gateway sets.",
			"too_large":              "413: the body is too large.",
		}),
	}
}

func docPatchMany() *service.Doc {
	return &service.Doc{
		Description: "The query comes in the body or in the URL. An explicit `{}` means all documents. A problem has `matched` and `modified` where some are changed.",
		Query:       map[string]string{"query": query},
		Codes: queries(map[string]string{
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
			"validation_failed":      "422: the collection's own validation refuses a document.",
			"version_invalid":        "409: a document has a _version that is no number.",
			"duplicate_key":          "409: a unique key exists already.",
			"field_not_allowed":      "403: a field that the gateway sets.",
			"too_large":              "413: the body is too large.",
		}),
	}
}

func docDeleteOne() *service.Doc {
	return &service.Doc{
		Codes: codes(map[string]string{
			"not_found":           "404: there is no such document.",
			"precondition_failed": "412: the document is not what If-Match says.",
		}),
	}
}

func docDeleteMany() *service.Doc {
	return &service.Doc{
		Description: "The query comes in the body or in the URL. An explicit `{}` means all documents. A problem has `deleted` where some are gone.",
		Query:       map[string]string{"query": query},
		Codes: queries(map[string]string{
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
			"too_large":              "413: the body is too large.",
		}),
	}
}

func docAggregate() *service.Doc {
	return &service.Doc{
		Description: "With `Accept: application/x-ndjson` the answer is a document a line; otherwise an array of at most 1000, with `X-Truncated: true` where there are more.",
		Codes: queries(map[string]string{
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
			"too_large":              "413: the body is too large.",
			"answer_too_large":       "422: the array passes 16 MiB.",
			"busy":                   "503: too many exports at once.",
		}),
	}
}
