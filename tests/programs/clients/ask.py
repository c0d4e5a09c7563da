#!/usr/bin/env python3
"""Connects in one of Python's ways and says how it ended. Usage: ask.py blocking|timeout|asyncio|giveup=SECONDS HOST PORT"""
import asyncio
import socket
import sys
import time

way, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


async def dial():
    ticks = [time.monotonic()]

    async def tick():
        while True:
            await asyncio.sleep(0.05)
            ticks.append(time.monotonic())

    ticker = asyncio.create_task(tick())
    try:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
    finally:
        ticker.cancel()
        gap = max((b - a for a, b in zip(ticks, ticks[1:])), default=0)
        print(f"gap {gap * 1000:.0f}")


began = time.monotonic()
try:
    if way == "blocking":
        socket.create_connection((host, port)).close()
    elif way.startswith("giveup="):  # as the loser of happy eyeballs is given up, or by an impatient program
        socket.create_connection((host, port), float(way[7:])).close()
    elif way == "timeout":
        socket.create_connection((host, port), 30).close()
    else:
        asyncio.run(dial())
    said = "connected"
except OSError as error:
    said = f"{type(error).__name__} {error.errno}"
print(f"took {(time.monotonic() - began) * 1000:.0f}")
print(said)
