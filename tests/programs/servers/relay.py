"""A TCP relay that spoils connections: relay.py WAY N TARGET-PORT. Prints its port, then a word a connection.

reset N        each N-th connection is reset as soon as its first bytes have come
reset-first N  the first N are
alert-first N  the first N are answered with a TLS alert, handshake_failure
cut-first N    the first N end with FIN as soon as their first bytes have come
"""
import socket
import struct
import sys
import threading

way, every, target = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


def spoils(number):
    return number % every == 0 if way == "reset" else number <= every


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for side in (source, sink):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(client, spoilt):
    if spoilt:
        client.recv(65536)
        if way == "alert-first":
            client.sendall(ALERT)
        if way.startswith("reset"):
            reset(client)
        else:
            client.close()
        return
    try:
        server = socket.create_connection(("127.0.0.1", target))
    except OSError:
        reset(client)
        return
    for side in (client, server):
        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    back = threading.Thread(target=pump, args=(server, client), daemon=True)
    back.start()
    pump(client, server)
    back.join()
    client.close()
    server.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(listener.getsockname()[1], flush=True)
number = 0
while True:
    client, _ = listener.accept()
    number += 1
    spoilt = spoils(number)
    print("spoilt" if spoilt else "served", flush=True)
    threading.Thread(target=serve, args=(client, spoilt), daemon=True).start()
