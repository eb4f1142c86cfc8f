// Package embedded is a database that runs in the process, for trying and for testing without installing one.
// It speaks MongoDB's wire protocol on a loopback port, so that the driver of MongoDB uses it like any other server:
//
//	server, err := embedded.Start(ctx, "data")
//	if err != nil {
//		return err
//	}
//	defer server.Stop(context.Background())
//	client, err := mongo.Connect(ctx, options.Client().ApplyURI(server.URI()))
//
// The engine is FerretDB v1 with SQLite: one file for each database, in the folder given. A folder serves one server
// at a time. The command coglexdb, in a folder below this one, is the same as a process of its own.
//
// It is no production database: it has no passwords, no replication and no transactions, and all but a look-up by
// _id reads the whole collection. Production sets a MongoDB.
//
// # What stands between the client and FerretDB
//
// Clients talk to a relay, which gives each connection one of its own to FerretDB over a Unix socket in the folder, and
// adds what FerretDB lacks:
//
//   - Writes take turns. FerretDB reads a document, changes it and writes it back without holding it, so that of
//     updates on several connections most are lost. The relay lets through one command at a time that is not known
//     to read only, for the whole server; reads pass freely. Filters that would keep the others waiting too long are
//     found out beforehand. See relay.go and turn.go.
//   - Look-ups by _id use an index, which FerretDB's own do not, also where a filter names more than _id. See index.go
//     and narrow.go.
//   - What FerretDB would do wrongly and say nothing, or at which it would drop the connection, is refused with an
//     error. The files refuse*.go are the list, LIMITS.md is it in prose.
//   - A value that must not come twice is the error 11000 in updates and for new indexes too. See duplicate.go.
//
// # What holds after a crash
//
// SQLite keeps a write-ahead log and syncs it at the end of each write (synchronous=FULL), so that an acknowledged
// write survives a kill of the process and, as far as the disk keeps its word, a loss of power. FerretDB creates and
// drops collections and indexes in several steps; what a kill leaves half done is completed or undone at the next
// start. See repair.go.
package embedded
