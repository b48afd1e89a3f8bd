"""localstripe, a payment provider for tests that speaks as Stripe does, on a port of 127.0.0.1.

    python server.py PORT

It keeps a copy of all it knows in one file of /tmp, written anew at every change. Here it does not: several run at once, and none of them
is ever started a second time.
"""

import socket
import sys

from aiohttp import web
from localstripe import server
from localstripe.resources import Store

Store.dump_to_disk = lambda self: None

listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(f"ready to accept connections on {listening.getsockname()[1]}", flush=True)
web.run_app(server.app, sock=listening, access_log=None, print=None)
