"""How a held connection is given what is new: one file a transport, none knows another."""
