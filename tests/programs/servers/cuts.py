"""cuts.py FOLDER: an HTTP server of a folder's files on a port of 127.0.0.1, which it prints. It knows ETag, Last-Modified, Range
and If-Range (RFC 9110), and cuts bodies. The query says how, for all requests of a path:
cut=N      the first N replies with a body break off after a part of it (each after another one)
min=BYTES  but never shorter bodies than that
how=       reset or close
tag=       strong (default), weak, none, other (differs from request to request), first (not in a 206)
date=      old (Last-Modified of long ago, with Date), young (of just now), none (default)
range=     yes (default), no (200 again), wrong (a part that does not begin where it was asked for), short (not to the end),
           length (of another total)
encoding=1 says that the body is encoded
chunked=1  sends it in a chunk
sized=no   parts say no length of their own: they end with the connection
extra=N    and have so many bytes more than they said
status=N   what the second reply is
redirect=1 to the same without this word, first
"/heads" gives all requests so far, "/zero" forgets them. The environment's CUTS is the query of requests that have none."""
import http.server
import os
import re
import socket
import struct
import sys
import time
import urllib.parse
from email.utils import formatdate

counts, heads = {}, []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *unused):
        pass

    def small(self, status, body, **fields):
        self.send_response_only(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/heads":
            return self.small(200, "".join(heads).encode())
        if url.path == "/zero":
            heads.clear()
            counts.clear()
            return self.small(200, b"")
        asked = dict(urllib.parse.parse_qsl(url.query or os.environ.get("CUTS", "")))
        heads.append(f"{self.command} {self.path} {self.headers.get('Range', '-')} {self.headers.get('If-Range', '-')}\n")
        if asked.get("redirect"):
            return self.small(302, b"", Location=self.path.replace("&redirect=1", ""))
        path = os.path.join(sys.argv[1], url.path.lstrip("/"))
        if not os.path.isfile(path):
            return self.small(404, b"none\n")
        counts[url.path] = counts.get(url.path, 0) + 1
        if "status" in asked and counts[url.path] == 2:
            return self.small(int(asked["status"]), b"not now\n")
        self.give(path, asked, counts[url.path])

    def give(self, path, asked, number):
        with open(path, "rb") as file:
            data = file.read()
        total, first, last = len(data), 0, len(data) - 1
        kind = asked.get("tag", "strong")
        tag = {"strong": f'"{total}-x"', "first": f'"{total}-x"', "weak": f'W/"{total}"', "other": f'"{number}"'}.get(kind)
        modified = {"old": formatdate(1600000000, usegmt=True), "young": formatdate(time.time(), usegmt=True)}.get(asked.get("date"))
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        is_part = bool(match) and asked.get("range", "yes") != "no"
        if is_part and "If-Range" in self.headers:
            is_part = self.headers["If-Range"] in (tag if kind != "weak" else None, modified)
        if is_part:
            first = int(match.group(1))
            last = int(match.group(2) or last)
            if first >= total:
                return self.small(416, b"", Content_Range=f"bytes */{total}")
            first += {"wrong": 1}.get(asked.get("range"), 0)
            last -= {"short": 1}.get(asked.get("range"), 0)
        body = data[first : last + 1]
        self.send_response_only(206 if is_part else 200)
        if is_part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{total + {'length': 1}.get(asked.get('range'), 0)}")
        else:
            self.send_header("Content-Type", "application/x-thing")
        if tag and not (is_part and kind == "first"):
            self.send_header("ETag", tag)
        if modified:
            self.send_header("Date", formatdate(usegmt=True))
            self.send_header("Last-Modified", modified)
        if asked.get("encoding"):
            self.send_header("Content-Encoding", "thing")
        if asked.get("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif is_part and asked.get("sized") == "no":
            self.send_header("Connection", "close")
            self.close_connection = True
            body += b"x" * int(asked.get("extra", 0))
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if number <= int(asked.get("cut", 0)) and len(body) >= int(asked.get("min", 2)):
            return self.cut(body[: len(body) * (number % 4 + 1) // 8], asked.get("how", "reset"))
        self.wfile.write(body)

    def cut(self, part, how):
        self.wfile.write(part)
        self.wfile.flush()
        unsent = 1
        while unsent:  # a reset would take what the client's kernel does not have yet
            unsent = struct.unpack("i", __import__("fcntl").ioctl(self.connection, 0x5411, b"\0" * 4))[0]
            time.sleep(0.001)
        if how == "reset":
            time.sleep(0.02)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True
        self.connection.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *unused):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
