"""``python -m kodama`` is the command ``kodama``."""

from kodama.app.main import main

main()
