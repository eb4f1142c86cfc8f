module github.com/imadelakhaldev/coglex/e2e

go 1.26.0
