"""HEALTHCHECK of the image: exit code 0 while the server answers /livez. Needs no curl."""

import http.client
import os
import sys

host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=2)
try:
    connection.request("GET", "/livez", headers={"Host": host})
    sys.exit(0 if connection.getresponse().status == 200 else 1)
except OSError as fault:
    sys.exit(f"No answer: {fault}")
