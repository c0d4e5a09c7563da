#!/usr/bin/env python3
"""Takes connections on ports of this machine and closes each politely, after what comes or half a second. Usage: serve.py PORT..."""
import selectors
import socket
import sys
import time

watch = selectors.DefaultSelector()
for port in sys.argv[1:]:
    listener = socket.create_server(("", int(port)))
    watch.register(listener, selectors.EVENT_READ, None)
print("ready", flush=True)
while True:
    for key, _ in watch.select(0.1):
        if key.data is None:
            connection, _ = key.fileobj.accept()
            watch.register(connection, selectors.EVENT_READ, time.monotonic() + 0.5)
        else:
            try:
                done = not key.fileobj.recv(65536)
            except OSError:
                done = True
            if done:
                watch.unregister(key.fileobj)
                key.fileobj.close()
    for key in list(watch.get_map().values()):
        if key.data and time.monotonic() > key.data:
            watch.unregister(key.fileobj)
            key.fileobj.shutdown(socket.SHUT_WR)
            key.fileobj.close()
