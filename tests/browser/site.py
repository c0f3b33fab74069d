"""A few pages in memory under the portal's security policy: the ground of the browser tests is tested on them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type

from app.portal.frame.security_headers import CONTENT_SECURITY_POLICY


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve the files, by path, on loopback; yield the site's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(files))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_of(files: Mapping[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            body = files.get(path, b"Not here.")
            self.send_response(200 if path in files else 404)
            self.send_header("Content-Type", guess_type(path)[0] or "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the browser's complaints are what counts."""

    return Handler
