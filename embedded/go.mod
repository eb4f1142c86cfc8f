module github.com/imadelakhaldev/coglex/embedded

go 1.26.0

require (
	github.com/FerretDB/FerretDB v1.24.2
	go.mongodb.org/mongo-driver v1.17.10
)
