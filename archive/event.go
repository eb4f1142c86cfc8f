package archive

import (
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/signals"
)

// Uploading is asked before the bytes of a file are kept, once the first of them
// tell what it is. An interceptor can refuse, and say in Stamp whose the file is.
type Uploading struct {
	signals.Intent
	// Collection is the name space, "" for the default one.
	Collection string
	// Name is what the file will be called.
	Name string
	// Type is the media type, by the first bytes.
	Type string
	// Head is the first bytes, at most 3072. They must not be changed.
	Head []byte
	// Declared is how many bytes the body of the request has by its own word, the
	// form around the file included; -1 where it does not say, and for Put.
	Declared int64
	// Metadata is what is said of the file, nil where that comes after its bytes or
	// not at all: nil has to be refused by a rule about it, or the uploader gets round
	// it by sending it last. It must not be changed.
	Metadata bson.Raw
	// Stamp is for interceptors: fields that the metadata of the file is given,
	// whatever the uploader says of them, such as its owner. It begins as nil.
	Stamp bson.D
}

// Uploaded tells that a file is in the archive.
type Uploaded struct {
	signals.Fact
	// File is its record.
	File File
}

// Downloading is asked before the bytes of a file are served over HTTP, be it by
// GET or HEAD, whole or in part, and before somebody gets a link to them over HTTP:
// the place for rules on who may have what. An interceptor can refuse, and change
// nothing. Service.Open and Service.Link do not ask. Nor do metadata and lists: what
// is known of files is for those who may call these routes.
type Downloading struct {
	signals.Intent
	// File is its record.
	File File
	// Link says that the caller has a signed link, rather than the API key or what
	// the host's own guard asks for. Before it was made over HTTP this was asked, with
	// false here.
	Link bool
	// Inline says that the file is to be shown rather than saved.
	Inline bool
}

// Downloaded tells that a GET of bytes has ended: well, or because the client left.
// A client that fetches a file in parts causes one for each. There is none for HEAD,
// for 304 and for Service.Open.
type Downloaded struct {
	signals.Fact
	// File is its record.
	File File
	// Link says that it was by a signed link.
	Link bool
	// Sent is how many bytes were sent, those that frame several ranges included.
	Sent int64
	// Redirected says that the client was sent to the store, and Sent is zero.
	Redirected bool
}

// Deleting is asked before a file is deleted. An interceptor can refuse, and change
// nothing.
type Deleting struct {
	signals.Intent
	// File is its record.
	File File
}

// Deleted tells that a file is no longer in the archive. Of several that delete it
// at once, one causes this.
type Deleted struct {
	signals.Fact
	// File is what its record was.
	File File
}
