"""The console's pages: rendered on the server, alive by htmx and server-sent events, without a build step.

`app.py` lists the pages; `server.py` runs them together with what the store does beside them.
"""

from stream_detector.review.web.app import make_app
from stream_detector.review.web.server import ConsoleThread, serve

__all__ = ["ConsoleThread", "make_app", "serve"]
