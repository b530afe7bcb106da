"""The one exception by which a check says what it saw instead of what it must see."""


class Failure(Exception):
    pass


def equal(what: str, seen, expected) -> None:
    if seen != expected:
        raise Failure(f"{what}: {seen}, expected {expected}")


def require(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)
