// Package storage keeps documents in MongoDB and offers them over HTTP.
package storage
