//! What people and programs ask of a server.
