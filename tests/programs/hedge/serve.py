#!/usr/bin/env python3
"""A server by plan, on 127.0.0.1: the n-th request of a path is answered by the n-th step of its query, the last one by all that
follow. Usage: serve.py [FOLDER [CERTIFICATE [stalls]]]. Prints its port; ends with its parent.
With a certificate it speaks TLS, too, by what a connection begins with; stalls: the first that does is never answered.

    /name?plan=STEP,STEP…    STEP: [DELAY_MS-]WHAT
    WHAT: a status (200: a body of size= bytes), reset (the connection), half (of the body, then the end), cut (the same, then a reset), gzip, cookie (a Secure and a
    plain one), expire (of the cookie gone), sts (as 200, by TLS alone from now on), to (a redirect to /end), cookieto (with a cookie), chunked, halfchunked, close (no length), early (a 103 before),
    slow (the body in 400 ms), lingers (a 503 whose body takes 400 ms), wide (100 KB of headers)

/files/…: what is under FOLDER; of each third path the first request takes five seconds.
/count?of=/name: how many came · /heads?of=/name: their heads"""
import gzip
import http.server
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

lock = threading.Lock()
heads = {}


def body(size):
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, content, *fields):
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def chunks(self, content, whole):
        self.send_response_only(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(content), 5000):
            piece = content[at:at + 5000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if whole:
            self.wfile.write(b"0\r\n\r\n")

    def do(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path in ("/count", "/heads"):
            with lock:
                known = heads.get(query["of"], [])
                self.say(200, (str(len(known)) if parts.path == "/count" else "--\n".join(known)).encode())
            return
        with lock:
            known = heads.setdefault(parts.path, [])
            way = "by TLS " if isinstance(self.connection, ssl.SSLSocket) else ""
            known.append(way + self.requestline + "\n" + str(self.headers))
            number = len(known)
        if parts.path.startswith("/files/"):
            self.file(parts.path, number)
            return
        plan = query.get("plan", "200").split(",")
        delay, _, what = plan[min(number, len(plan)) - 1].rpartition("-")
        size = int(query.get("size", "20"))
        time.sleep(int(delay or 0) / 1000)
        self.answer(what, body(size), number)

    def file(self, path, number):
        with lock:
            slow = number == 1 and [name for name in heads if name.startswith("/files/")].index(path) % 3 == 2
        if slow:
            time.sleep(5)
        try:
            with open(os.path.join(sys.argv[1], path[len("/files/"):]), "rb") as file:
                self.say(200, file.read())
        except OSError:
            self.say(404, b"")

    do_GET = do_HEAD = do_POST = do_DELETE = do

    def answer(self, what, content, number):
        number_field = ("X-Number", str(number))
        if what == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        elif what in ("half", "cut"):
            self.send_response_only(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:len(content) // 2])
            if what == "cut":
                time.sleep(0.1)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())  # without the server's own shutdown before
            self.close_connection = True
        elif what in ("slow", "lingers"):
            self.send_response_only(200 if what == "slow" else 503)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for at in range(0, len(content), len(content) // 8 or 1):
                self.wfile.write(content[at:at + (len(content) // 8 or 1)])
                time.sleep(0.05)
        elif what == "chunked":
            self.chunks(content, True)
        elif what == "halfchunked":
            self.chunks(content[:len(content) // 2], False)
            self.close_connection = True
        elif what == "close":
            self.send_response_only(200)
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = True
        elif what == "gzip":
            self.say(200, gzip.compress(content), ("Content-Encoding", "gzip"))
        elif what == "cookie":
            self.say(200, content, ("Set-Cookie", "plain=1"), ("Set-Cookie", "safe=2; Secure"))
        elif what == "expire":
            self.say(200, content, ("Set-Cookie", "gone=; Max-Age=0" + ("; Secure" if isinstance(self.connection, ssl.SSLSocket) else "")))
        elif what == "sts":
            self.say(200, content, ("Strict-Transport-Security", "max-age=600"))
        elif what == "cookieto":
            self.say(302, b"moved\n", ("Location", "/end"), ("Set-Cookie", "plain=1"))
        elif what == "to":
            self.say(302, b"moved\n", ("Location", "/end"))
        elif what == "wide":
            self.say(200, content, *(("X-Fill", "x" * 4000) for _ in range(25)))
        elif what == "early":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            self.say(200, content, number_field)
        else:
            self.say(int(what), content, number_field)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    context = None
    stalls = len(sys.argv) > 3

    def finish_request(self, request, client_address):
        if self.context and request.recv(1, socket.MSG_PEEK) == b"\x16":
            with lock:
                stalls, self.stalls = self.stalls, False
            time.sleep(60 if stalls else 0)
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, *_):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 2:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(sys.argv[2])
    print(server.server_address[1], flush=True)
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    server.serve_forever()


main()
