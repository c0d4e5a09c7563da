"""says.py FILE: an HTTP server on a port of 127.0.0.1, which it prints, whose reply to each request is the bytes of FILE,
without the body to HEAD. Requests are read to their end first."""
import os
import socket
import sys
import threading


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            length = int(value)
        elif name.lower() == b"expect":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < length:
        body += connection.recv(65536)
    return head


def serve(connection):
    with connection:
        while head := read_request(connection):
            with open(sys.argv[1], "rb") as file:
                said = file.read()
            if head.startswith(b"HEAD "):
                said = said.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
            connection.sendall(said)


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while os.getppid() != 1:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
