"""The HTTP API described: from the types that read and write it, to OpenAPI 3.1 and a page for people."""
