"""An HTTP/1.1 server channel on llhttp for any Twisted program; it knows nothing of chat."""
