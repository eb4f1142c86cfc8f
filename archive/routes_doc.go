package archive

import (
	"maps"

	"github.com/imadelakhaldev/coglex/service"
)

// codes returns the problem codes that every route has, and those of one besides.
func codes(more map[string]string) map[string]string {
	all := map[string]string{
		"invalid":              "400: the request is malformed; errors names the field.",
		"internal":             "500: the cause is in the log of the gateway, under the request_id.",
		"timeout":              "504: the database did not answer in time.",
		"database_unavailable": "503: the database is away.",
	}
	maps.Copy(all, more)
	return all
}

// spaces returns the codes of routes that name a collection, and more besides.
func spaces(more map[string]string) map[string]string {
	all := codes(map[string]string{
		"collection_invalid":  "400: no collection can be called that.",
		"collection_reserved": "403: the collection is reserved.",
	})
	maps.Copy(all, more)
	return all
}

// uploads returns the codes of uploads, and more besides.
func uploads(more map[string]string) map[string]string {
	all := spaces(map[string]string{
		"file_required":          "400: the form has no part called file.",
		"unsupported_media_type": "415: the body is no multipart/form-data.",
		"type_refused":           "415: the bytes are of a type that is not taken.",
		"file_too_large":         "413: the file is larger than it may be.",
		"metadata_too_large":     "413: the metadata has more than 64 KiB.",
		"field_reserved":         "400: a name in the metadata is reserved.",
		"operator_not_allowed":   "400: a name in the metadata begins with a dollar sign.",
		"invalid_query":          "400: a name in the metadata is empty or has a dot.",
		"too_complex":            "400: the metadata is nested too deep.",
		"unsupported":            "501: the database lacks a type of value.",
		"no_space":               "507: there is no space left for the file.",
	})
	maps.Copy(all, more)
	return all
}

// downloads returns the codes of downloads, and more besides.
func downloads(more map[string]string) map[string]string {
	all := spaces(map[string]string{
		"not_found":           "404: there is no such file.",
		"precondition_failed": "412: the file is not what If-Match or If-Unmodified-Since say.",
		"range_invalid":       "416: the file has no such range; Content-Range has its size.",
		"file_missing":        "500: there is a record of the file, and its bytes are gone.",
	})
	maps.Copy(all, more)
	return all
}

const (
	docForm = "The form has one part `file` and, before or behind it, at most one part `metadata`: an Extended JSON object of at most 64 KiB. " +
		"The type is that of the bytes, whatever the client says. The answer is the record, and `Location` leads to the bytes."
	docBytes = "With strong `ETag` (the SHA-256), `Last-Modified`, ranges and conditional requests (RFC 9110). " +
		"More than 16 ranges, or ranges that are larger together than the file, are answered with the whole file. " +
		"The file is an attachment unless its type is safe to show."
	docCollection = "The collection of the file. Defaults to none, the default name space."
)

func docUpload() *service.Doc { return &service.Doc{Description: docForm, Codes: uploads(nil)} }

func docList() *service.Doc {
	return &service.Doc{
		Description: "Filters and sorts may name `_id`, `_filename`, `_filesize`, `_filetype`, `_sha256`, `_inserted` and `metadata` with all below it. " +
			"`Link` with `rel=\"next\"` leads to the next page.",
		Query: map[string]string{
			"query":         "Extended JSON object: the filter that the records match. `_inserted` is a date.",
			"sort":          "Extended JSON object of fields, each 1 or -1; `_id` is added as tie-break. Defaults to `_id`.",
			"limit":         "How many files, 1 to 1000. Defaults to 100.",
			"skip":          "How many files to leave out. Defaults to 0.",
			"count":         "`true` adds the header `X-Total-Count`.",
			paramCollection: docCollection,
		},
		Codes: spaces(map[string]string{
			"operator_not_allowed": "400: an operator that is not on the lists; errors has its path.",
			"invalid_query":        "400: a query of a wrong shape.",
			"field_unknown":        "400: a field that is not one of those above.",
			"field_reserved":       "400: a field that is reserved.",
			"too_complex":          "400: a bound is passed.",
			"too_expensive":        "422: this takes more memory than the database gives to one operation.",
			"unsupported":          "501: the database lacks the feature.",
		}),
	}
}

func docDownload() *service.Doc {
	return &service.Doc{
		Description: docBytes,
		Query:       map[string]string{"inline": "`1` lets a browser show the file, where its type is safe to show. Defaults to `0`."},
		Codes:       downloads(nil),
	}
}

func docMetadata() *service.Doc {
	return &service.Doc{
		Query: map[string]string{paramCollection: docCollection},
		Codes: spaces(map[string]string{"not_found": "404: there is no such file."}),
	}
}

func docDelete() *service.Doc {
	return &service.Doc{Codes: spaces(map[string]string{"not_found": "404: there is no such file."})}
}

func docLink() *service.Doc {
	return &service.Doc{
		Description: "The body is optional. `expires_in` is in seconds, at most 604800, and an hour by default; `inline` lets a browser show the file; " +
			"`collection` is that of the file. Whoever has the address can use it until then.",
		Codes: spaces(map[string]string{
			"not_found":              "404: there is no such file.",
			"too_large":              "413: the body is too large.",
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
		}),
	}
}

// signed is the parameter of links and tickets.
func signed() map[string]string {
	return map[string]string{"token": "The signature, as it is in the address."}
}

func docLinked() *service.Doc {
	return &service.Doc{
		Description: docBytes,
		Query:       signed(),
		Codes: downloads(map[string]string{
			"link_invalid": "403: the address was not made here, or was changed.",
			"link_expired": "403: the address holds no more.",
		}),
	}
}

func docTicket() *service.Doc {
	return &service.Doc{
		Description: "The body is optional. `max_bytes` and `types` (such as `image/*`) say what may be uploaded, within what the gateway takes; " +
			"`collection`, `name` and `metadata` what is made of it; `expires_in` is in seconds, at most 604800, and an hour by default. " +
			"With `metadata` the uploader may not give any.",
		Codes: spaces(map[string]string{
			"field_reserved":         "400: a name in the metadata is reserved.",
			"operator_not_allowed":   "400: a name in the metadata begins with a dollar sign.",
			"invalid_query":          "400: a name in the metadata is empty or has a dot.",
			"too_complex":            "400: the metadata is nested too deep.",
			"too_large":              "413: the body is too large.",
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
		}),
	}
}

func docTicketed() *service.Doc {
	return &service.Doc{
		Description: docForm + " A ticket makes one file: an upload that fails may be tried again.",
		Query:       signed(),
		Codes: uploads(map[string]string{
			"link_invalid": "403: the address was not made here, or was changed.",
			"link_expired": "403: the address holds no more.",
			"ticket_used":  "409: the ticket has made its file.",
		}),
	}
}
