#!/usr/bin/env python3
"""What tests/upstream does not speak. Usage: serve.py KIND; prints its port, then what it sees, a line each.
  smtp     takes mail, prints each line of it        ftp      sends RETR's 60 bytes within 1.2 seconds
  proxy    CONNECT goes through                      proxy407 CONNECT is answered 407
  plain    a proxy for plain requests to nowhere: 502
  talk     answers at once, a line each 0.3 s        keep     503 while the body comes, 200 to the next
  upgrade  101, then HTTP/2 with trailers            trailer  chunks, then trailers
  hop      307 after the body, to a path that echoes what came
  abstract listens on the name that a refused call once went to; prints when somebody comes
"""
import hashlib
import socket
import sys
import threading
import time


def say(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")  # one write, also among threads
    sys.stdout.flush()


def head(file):
    lines = []
    while True:
        line = file.readline()
        if line in (b"\r\n", b""):
            return lines
        lines.append(line.decode("latin-1").rstrip())


def smtp(c, file):
    c.sendall(b"220 hi\r\n")
    in_data = False
    for line in file:
        if in_data:
            say("MAIL:", line.decode().rstrip())
            if line == b".\r\n":
                in_data = False
                c.sendall(b"250 ok\r\n")
        elif line.startswith(b"DATA"):
            in_data = True
            c.sendall(b"354 go\r\n")
        elif line.startswith(b"QUIT"):
            c.sendall(b"221 bye\r\n")
            return
        else:
            c.sendall(b"250 ok\r\n")


def ftp(c, file):
    replies = {"USER": b"331 pw", "PASS": b"230 ok", "PWD": b'257 "/"', "TYPE": b"200 ok", "SIZE": b"213 60"}
    c.sendall(b"220 hi\r\n")
    passive = None
    for line in file:
        word = line.split()[0].decode().upper()
        if word == "EPSV":
            passive = socket.create_server(("127.0.0.1", 0))
            c.sendall(b"229 x (|||%d|)\r\n" % passive.getsockname()[1])
        elif word == "RETR":
            say("RETR")
            c.sendall(b"150 go\r\n")
            with passive.accept()[0] as data:
                for _ in range(6):
                    data.sendall(b"123456789\n")
                    time.sleep(0.2)
            c.sendall(b"226 done\r\n")
        else:
            c.sendall(replies.get(word, b"500 no") + b"\r\n")


def pump(source, sink):
    try:
        while True:
            bytes_ = source.recv(65536)
            if not bytes_:
                break
            sink.sendall(bytes_)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def proxy(c, file):
    lines = head(file)
    for line in lines:
        say(line)
    if not lines:
        return
    host, port = lines[0].split()[1].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as far:
        c.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n")
        threading.Thread(target=pump, args=(c, far), daemon=True).start()
        pump(far, c)


def proxy407(c, file):
    lines = head(file)
    if lines:
        say(lines[0])
        c.sendall(b'HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n')


def plain(c, file):
    lines = head(file)
    if lines:
        say(lines[0])
        c.sendall(b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbad\n")


def talk(c, file):
    head(file)
    c.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for i in range(6):
        c.sendall(b"line %d\n" % i)
        time.sleep(0.3)


def chunks_of(file):
    while True:
        size = int(file.readline() or b"x", 16)
        yield file.read(size)
        file.readline()
        if size == 0:
            return


def body_of(file, lines):
    for line in lines:
        if line.lower().startswith("content-length:"):
            return file.read(int(line.split(":")[1]))
    if any(line.lower() == "transfer-encoding: chunked" for line in lines):
        return b"".join(chunks_of(file))
    return b""


refused = set()


def keep(c, file):
    lines = head(file)
    if not lines:
        return
    path = lines[0].split()[1]
    first = path not in refused and path != "/"
    refused.add(path)
    after = 1500000 if "busy" in path else 100000
    body, answered = b"", not first
    try:
        for chunk in chunks_of(file):
            body += chunk
            if not answered and len(body) >= after:
                answered = True
                c.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            if first and answered and len(body) < 2000000:
                time.sleep(0.002)
    except ValueError:
        say(path, "broken")
        return
    say(path, "503" if first else "200", len(body), hashlib.md5(body).hexdigest()[:8])
    if not first:
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def hop(c, file):
    while True:
        lines = head(file)
        if not lines:
            return
        if any(line.lower() == "expect: 100-continue" for line in lines):
            c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = body_of(file, lines)
        say(lines[0].split()[1], len(body), hashlib.md5(body).hexdigest()[:8])
        if "/hop" in lines[0]:
            c.sendall(b"HTTP/1.1 307 There\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
        else:
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def upgrade(c, file):
    head(file)
    c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + frame(4, 0, 0, b""))
    c.sendall(frame(4, 1, 0, b"") + frame(1, 4, 1, b"\x88\x00\x01x\x01y") + frame(0, 0, 1, b"body\n"))
    time.sleep(0.1)
    c.sendall(frame(1, 5, 1, b"\x00\x01t\x01z"))
    while c.recv(4096):
        pass


def trailer(c, file):
    head(file)
    c.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbody\n\r\n")
    time.sleep(0.05)
    c.sendall(b"0\r\nX-Trailer: last\r\nX-More: two\r\n\r\n")


def serve(kind, c):
    try:
        with c:
            globals()[kind](c, c.makefile("rb"))
    except OSError:
        pass


def main():
    kind = sys.argv[1]
    if kind == "abstract":
        s = socket.socket(socket.AF_UNIX)
        s.bind("\0gusset-refuses-this-call")
        s.listen(5)
        say(0)
        while True:
            c = s.accept()[0]
            say("CAUGHT", c.recv(4096).decode("latin-1").split("\r\n")[0])
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil\n")
            c.close()
    s = socket.create_server(("127.0.0.1", 0), backlog=64)
    say(s.getsockname()[1])
    while True:
        threading.Thread(target=serve, args=(kind, s.accept()[0]), daemon=True).start()


main()
