// Package archive keeps files: their bytes in a place of the gateway's choice, what
// is known of them in MongoDB, and offers them over HTTP.
//
//	files, err := archive.New(db, archive.Disk("uploads"), &archive.Options{Secret: secret})
//	err = app.Mount(e, files) // at /service/archive/v1, behind the API key
//
// Files are streamed both ways, so that one of any size takes the same little memory.
// Two uploads of one name are two files. The methods of [Service] (Put, Open, Stat,
// List, Delete, Link, Ticket, Sweep) are for the gateway's own code.
//
// # Routes
//
//	POST   /                          a multipart form → 201, the record
//	POST   /upload/:collection        the same, into a collection
//	GET    /                          records: query sort limit skip count collection
//	GET    /:id                       the bytes: inline (HEAD too)
//	GET    /download/:collection/:id  the same, from a collection (HEAD too)
//	GET    /:id/metadata              the record: collection
//	DELETE /:id                       → {deleted}
//	DELETE /delete/:collection/:id    the same, in a collection
//
// and, where there is an Options.Secret, two pairs of routes of which the second is
// for those who do not have the API key:
//
//	POST   /:id/link                  {expires_in, inline, collection} → {url, expires}
//	GET    /links/:id?token=…         the bytes (HEAD too)
//	POST   /tickets                   {collection, max_bytes, types, expires_in, name, metadata} → {url, expires}
//	POST   /tickets/:id?token=…       a multipart form → 201, the record
//
// [Service.Routes] has the parameters and problem codes of each.
//
// # Records
//
// A record is {_id, _filename, _filesize, _filetype, _sha256, _inserted, metadata}.
// Queries and sorts name these fields, and what is below metadata, with the operators
// of package storage, $expr apart; anything else is 400 field_unknown. _inserted is
// RFC 3339 in answers and a date in queries ({"$date": …}). Where the bytes are is
// nothing that a client sees, says or asks for.
//
// A collection is a name space for files: a file of one is 404 in another, and routes
// without one mean the default one. It is called by a letter and up to 63 letters,
// digits, underscores and hyphens.
//
// # Uploads
//
// A form has one part called file, and before or behind it at most one called
// metadata: an Extended JSON object of 64 KiB at most, in which names obey the rules
// for documents. There is nothing else in a form, and what is around its parts is
// bounded. The file has Options.MaxBytes at most, 413 as soon as it passes them.
//
// The name is for people, and cleaned: see [CleanName]. The type is that of the
// bytes, by the first 3072 of them; what the client says of it counts for nothing.
// Where they are plain text the extension may say more (a table, a calendar), but
// never make a page or a script of it. Options.Types limits what is taken.
//
// [Uploading] is asked when the type is known, and before anything is written: the
// place for quotas and access rules.
//
// # Downloads
//
// Ranges, conditions and HEAD are as RFC 9110 has them, with the SHA-256 for a strong
// ETag. More than 16 ranges, ranges in another unit and ranges of HEAD are ignored.
// Files on a disk are sent by the kernel.
//
// A file is an attachment. With inline=1 a browser may show it if its bytes are PNG,
// JPEG, GIF, WebP, AVIF, BMP, MP4, M4A, WebM, MP3, Ogg, WAV or plain text. Scripts, styles
// and markup (HTML, SVG, XML) go out as application/octet-stream, so that no page can
// load one from here. All have nosniff, a sandboxing Content-Security-Policy and
// Cross-Origin-Resource-Policy: same-site.
//
// [Downloading] is asked before any byte, and before a link is made over HTTP;
// [Downloaded] is told after the last. Metadata and lists ask nobody. A file whose
// bytes somebody else has removed is 500 file_missing, and in the log.
//
// # Links and tickets
//
// A link opens one file until it expires, at most in seven days; a ticket takes one
// upload. Both are signed by HMAC-SHA256 under keys of their own, derived from
// Options.Secret: a link over method, id, expiry and whether the file may be shown; a
// ticket over collection, size, types, name, metadata and expiry. One that was made up
// or changed is 403 link_invalid, whether or not there is such a file; one that has
// ended is 403 link_expired. Neither is 401, for there is nothing to sign in with.
// Whoever has the address can use it. The signature is in the query, which the access
// log leaves out. A link ends early with its file; to end all of them, replace
// Secret. What is to be relied on of a ticket's file, such as whose it is, belongs in
// the ticket's metadata: then the uploader may give none.
//
// A ticket is spent between bytes and record: an upload that fails may be tried again,
// and of two at once one makes a file; the other is 409 ticket_used.
//
// # Stores
//
//	Disk    one machine, or a shared file system; the kernel sends the bytes
//	GridFS  several machines and nothing but MongoDB, through which all bytes go
//	S3      several machines and many files (package s3store); Options.Redirect lets
//	        clients fetch from it directly
//
// A [Store] of your own has to pass the tests of package archivetest.
//
// # What a crash leaves
//
// Bytes are durable before there is a record, and a record is gone before its bytes
// are: killed at any instant, a file is whole or not there. What may be left is bytes
// that no record is of. [Service.Sweep] finds them, at Start and once a day by itself,
// leaves alone what is younger than Options.Grace, and deletes nothing where it would
// delete more than it knows, as on the wrong database. Records without bytes are
// reported, and only removed when asked for: a folder that is not mounted must not
// cost all records.
//
// An upload that is refused, or whose client leaves, leaves nothing. Only where the
// database breaks off while it writes the record does nobody know whether it did;
// the answer is 503 then, and the file is there, whole, or the next sweep takes its
// bytes.
//
// # Errors
//
// The methods return [ErrNotFound], [ErrMissing], [ErrTooLarge], [ErrNoSpace],
// [ErrLinksOff], [ErrSweepRefused], [*OptionError], the refusals of interceptors as
// they are, and the errors of stores and the driver wrapped. Over HTTP the words of
// these never show: a full store is 507 no_space, a database that is away 503
// database_unavailable, a type that is not taken 415 type_refused. A client that
// leaves in the middle of its upload is logged as 499.
//
// # The embedded database
//
// All of this works on it, but for sorting by what is below metadata and some values
// and operators there, which are 501. Other queries than by _id read all records.
package archive
