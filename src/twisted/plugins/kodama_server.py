"""``twistd -n kodama`` runs the same service as ``kodama serve``."""

from twisted.application.service import ServiceMaker

kodama = ServiceMaker("Kodama", "kodama.app.twistd", "A chat server that never loses a message.", "kodama")
