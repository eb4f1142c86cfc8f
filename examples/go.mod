module github.com/imadelakhaldev/coglex/examples

go 1.26.0

require (
	github.com/caarlos0/env/v11 v11.4.2
	github.com/imadelakhaldev/coglex v0.0.0
	github.com/imadelakhaldev/coglex/embedded v0.0.0
	github.com/joho/godotenv v1.5.1
	github.com/labstack/echo/v4 v4.16.0
	github.com/lmittmann/tint v1.1.2
	github.com/mattn/go-isatty v0.0.22
	go.mongodb.org/mongo-driver v1.17.10
)

replace (
	github.com/imadelakhaldev/coglex => ../
	github.com/imadelakhaldev/coglex/embedded => ../embedded
)
