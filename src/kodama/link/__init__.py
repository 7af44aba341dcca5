"""How the processes of one server on one machine speak with its writer; knows nothing of chat."""
