"""Of the Superset that looks at the bundle: nobody else reaches it, and it is gone afterwards."""

import os
import secrets

HOME = os.environ["SUPERSET_HOME"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME}/superset.db"
SECRET_KEY = os.environ.get("SUPERSET_SECRET_KEY") or secrets.token_urlsafe(32)
# Plain HTTP, to this machine alone.
TALISMAN_ENABLED = False
SESSION_COOKIE_SECURE = False
# A query in a unit test's time.
SUPERSET_WEBSERVER_TIMEOUT = 60
