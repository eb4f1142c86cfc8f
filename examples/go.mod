module github.com/imadelakhaldev/coglex/examples

go 1.26.0
