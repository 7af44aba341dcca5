"""The site: every route, who is asking, and what is answered."""
