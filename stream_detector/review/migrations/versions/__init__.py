"""One module a change of the tables; they are never edited once released."""
