//! What a worker asks of a server.
