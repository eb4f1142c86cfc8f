// Package mongoquery decides whether what a client sends may reach MongoDB: filters, projections, sorts, updates,
// documents and aggregation pipelines.
//
// It is one recursive parser over lists of what is allowed. What is not on the list for its place is refused, at every
// depth, with its path.
package mongoquery
