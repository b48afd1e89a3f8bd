"""A mail server for the tests: what it takes becomes a file in a folder, before the sender is told.

    python server.py PORT FOLDER

It listens on 127.0.0.1. A mail to ann@example.com becomes FOLDER/<nanoseconds>.ann@example.com.eml, so that each test
finds its own among those of all tests, and a sorted listing has them in the order of arrival.

It never takes mail to anybody at refuses.example (550), and at later.example only later (451).
"""

import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from urllib.parse import quote

from aiosmtpd.smtp import SMTP

ANSWERS = {
    "refuses.example": "550 5.1.1 There is nobody of that name",
    "later.example": "451 4.3.0 Please try again later",
}


class Folder:
    """Writes mail into a folder, a file for each recipient."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    async def handle_RCPT(self, server, session, envelope, address, options):
        domain = address.rpartition("@")[2].lower()
        if domain in ANSWERS:
            return ANSWERS[domain]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            # An address may hold any character, and be longer than a file's name.
            name = f"{time.time_ns()}.{quote(address, safe='@+')[:200]}.eml"
            unfinished = self.folder / f".{name}"
            unfinished.write_bytes(envelope.original_content)
            # Whoever reads the folder meanwhile sees no half mail.
            os.rename(unfinished, self.folder / name)
        return "250 OK"


async def main(port, folder):
    handler = Folder(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", enable_SMTPUTF8=True), "127.0.0.1", port
    )
    logging.info("ready to accept connections on port %d", port)
    await server.serve_forever()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
    except KeyboardInterrupt:
        pass
