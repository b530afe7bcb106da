"""What went over the wire since the check under way began."""

from .recorder import Recorder, Request


class Traffic:
    def __init__(self, recorder: Recorder):
        self.recorder = recorder
        self.begin()

    def begin(self) -> None:
        self.start = len(self.recorder.requests)

    def requests(self) -> list[Request]:
        return self.recorder.requests[self.start:]

    def uploads(self) -> list[Request]:
        """Those that carried bytes of a blob."""
        return [
            request for request in self.requests()
            if request.method in ("POST", "PATCH", "PUT")
            and "/blobs/uploads" in request.path and request.body
        ]

    def uploaded_bytes(self) -> int:
        return sum(request.body for request in self.uploads())

    def asked_to_mount(self) -> set[str]:
        return {digest for request in self.requests() for digest in request.query.get("mount", [])}

    def mounted(self) -> set[str]:
        """The digests of the blobs that the registry mounted, told by 201 to a POST without a body."""
        return {
            digest for request in self.requests()
            if request.method == "POST" and request.status == 201 and not request.body
            for digest in request.query.get("mount", [])
        }

    def blobs_fetched(self) -> set[str]:
        return {
            request.path.rpartition("/")[2] for request in self.requests()
            if request.method == "GET" and "/blobs/" in request.path
        }
