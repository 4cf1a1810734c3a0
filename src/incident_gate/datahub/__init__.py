"""DataHub: the connection, the queries and the answers."""
