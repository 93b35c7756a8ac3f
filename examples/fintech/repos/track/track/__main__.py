"""The service: `python3 -m track --port 8090 --feed URL`."""

import argparse
from http.server import BaseHTTPRequestHandler, HTTPServer

from track.feed import Feed, FeedError
from track.page import page


def handler(feed):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            transfer = self.path.removeprefix("/transfers/")
            try:
                station, fresh = feed.station(transfer)
                status, body = 200, page(transfer, station, fresh)
            except FeedError as error:
                status, body = 404, str(error)
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def main():
    parser = argparse.ArgumentParser(prog="track")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--feed", required=True)
    options = parser.parse_args()
    HTTPServer(("127.0.0.1", options.port), handler(Feed(options.feed))).serve_forever()


if __name__ == "__main__":
    main()
