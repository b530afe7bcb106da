"""Reads one direction of an HTTP/1.1 connection as the bytes go by, changing none (RFC 9112).

Bodies are counted, never kept. What is not HTTP/1.x, such as a TLS hello, is passed over in silence.
"""

from collections.abc import Callable

MAX_HEAD = 64 << 10


class Stream:
    """`on_head(first_line, headers)` answers whether a body may follow; `on_body(count)` counts its
    bytes; `on_end()` follows the message's last byte."""

    def __init__(self, on_head: Callable, on_body: Callable, on_end: Callable):
        self.on_head, self.on_body, self.on_end = on_head, on_body, on_end
        self.buffer = bytearray()
        self.read = self._head
        self.remaining = 0

    def feed(self, data: bytes) -> None:
        # A length-delimited body is most of what goes by: count it where it lies.
        if self.read == self._sized and not self.buffer and self.remaining >= len(data):
            self._count(len(data))
            return
        self.buffer += data
        try:
            while self.read():
                pass
        except (ValueError, IndexError):
            self.read = self._foreign

    def _line(self) -> bytes | None:
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 2]
        return line

    def _head(self) -> bool:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MAX_HEAD or (self.buffer and not 0x41 <= self.buffer[0] <= 0x5A):
                self.read = self._foreign
                return True
            return False
        first, *lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
        del self.buffer[:end + 4]
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if not self.on_head(first, headers):
            self._end()
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self.read = self._chunk_size
        elif "content-length" in headers:
            self.remaining = int(headers["content-length"])
            self.read = self._sized
            if self.remaining == 0:
                self._end()
        elif first.startswith("HTTP/"):
            self.read = self._until_close
        else:
            self._end()
        return True

    def _sized(self) -> bool:
        count = min(self.remaining, len(self.buffer))
        if count == 0:
            return False
        del self.buffer[:count]
        self._count(count)
        return True

    def _count(self, count: int) -> None:
        self.remaining -= count
        self.on_body(count)
        if self.remaining == 0:
            self._end()

    def _chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        self.remaining = int(line.split(b";")[0], 16)
        self.read = self._chunk if self.remaining else self._trailer
        return True

    def _chunk(self) -> bool:
        count = min(self.remaining, len(self.buffer))
        if count == 0:
            return False
        del self.buffer[:count]
        self.remaining -= count
        self.on_body(count)
        if self.remaining == 0:
            self.read = self._chunk_end
        return True

    def _chunk_end(self) -> bool:
        if self._line() is None:
            return False
        self.read = self._chunk_size
        return True

    def _trailer(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if line == b"":
            self._end()
        return True

    def _until_close(self) -> bool:
        self.on_body(len(self.buffer))
        self.buffer.clear()
        return False

    def _foreign(self) -> bool:
        self.buffer.clear()
        return False

    def _end(self) -> None:
        self.read = self._head
        self.on_end()
