"""The exceptions by which a check says what it saw instead of what it must see."""


class Failure(Exception):
    pass


class CommandFailure(Failure):
    """A program ended with an exit code of its own; `said` is its last line, on standard error if there is one."""

    def __init__(self, program: str, code: int, said: str):
        super().__init__(f"{program} ended with exit code {code}")
        self.said = said


def equal(what: str, seen, expected) -> None:
    if seen != expected:
        raise Failure(f"{what}: {seen}, expected {expected}")


def require(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)
