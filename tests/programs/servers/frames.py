"""A WebSocket server, by python3-websockets. Prints its port.

/read   sends a text, 70,000 bytes in two fragments, and closes with 1000
/echo   sends back what it is sent
/refuse is answered 503 instead of the handshake
"""
import asyncio
import http

import websockets


async def serve(socket, path):
    if path == "/read":
        await socket.send("hello")
        await socket.send([b"a" * 35000, b"b" * 35000])
        await socket.close(1000, "done")
        return
    async for message in socket:
        await socket.send(message)


async def answer(path, _):
    return (http.HTTPStatus.SERVICE_UNAVAILABLE, [], b"not now\n") if path == "/refuse" else None


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, process_request=answer, compression=None, ping_interval=None,
                                close_timeout=0.1) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
