"""The HTTP side: REST, server-sent events and the built pages. Imported only by whoever serves them."""
