//! Events for the clients of KurrentDB.
