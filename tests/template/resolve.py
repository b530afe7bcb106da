"""The template for given parameters, without a deployment: resources by their logical ids, names of AWS as placeholders."""

import re
from collections.abc import Iterator

import stack

# What AWS::NoValue leaves: nothing.
NOTHING = object()
STACK_ID = f"arn:aws:cloudformation:{stack.REGION}:{stack.ACCOUNT}:stack/{stack.NAME}/01234567-89ab-cdef-0123-456789abcdef"
PSEUDO = {
    "AWS::AccountId": stack.ACCOUNT, "AWS::Region": stack.REGION, "AWS::StackName": stack.NAME, "AWS::StackId": STACK_ID,
    "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": NOTHING,
}
# Attributes of which the template takes a part.
URLS = {
    ("RegistryFunctionUrl", "FunctionUrl"): "https://function-url.example/",
    ("HttpApi", "ApiEndpoint"): "https://http-api.example",
}


class Resolved:
    """`physical` and `attributes` give what Ref and Fn::GetAtt return for some resources, in place of a placeholder."""

    def __init__(self, parameters: dict[str, str], physical: dict | None = None, attributes: dict | None = None):
        self.source = stack.template()
        self.values = {name: p["Default"] for name, p in self.source["Parameters"].items()} | parameters
        self.physical = physical or {}
        self.attributes = URLS | (attributes or {})

    def condition(self, name: str) -> bool:
        return self.value(self.source["Conditions"][name])

    def resources(self) -> dict[str, dict]:
        """Those whose condition holds."""
        every = self.source["Resources"].items()
        return {name: r for name, r in every if "Condition" not in r or self.condition(r["Condition"])}

    def properties(self, logical: str) -> dict:
        return self.value(self.source["Resources"][logical].get("Properties", {}))

    def value(self, term):
        match term:
            case list():
                return [found for found in map(self.value, term) if found is not NOTHING]
            case dict() if len(term) == 1 and (function := next(iter(term))) in FUNCTIONS:
                return FUNCTIONS[function](self, term[function])
            case dict():
                pairs = {key: self.value(value) for key, value in term.items()}
                return {key: value for key, value in pairs.items() if value is not NOTHING}
        return term

    def _ref(self, name: str):
        if name in self.values:
            return str(self.values[name])
        return PSEUDO.get(name) or self.physical.get(name) or f"<{name}>"

    def _att(self, argument) -> str:
        logical, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        return self.attributes.get((logical, attribute)) or f"<{logical}.{attribute} of {self._ref(logical)}>"

    def _sub(self, argument) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})
        given = self.value(given)

        def placed(found: re.Match) -> str:
            name = found[1]
            return given[name] if name in given else self._att(name) if "." in name else self._ref(name)

        return re.sub(r"\$\{([\w.:]+)\}", placed, text)

    def dependencies(self, logical: str) -> set[str]:
        """The resources that one refers to, by the branches of Fn::If that count, or waits for."""
        written = self.source["Resources"][logical]
        found = set(self._names(written.get("Properties", {})))
        waits = written.get("DependsOn", [])
        found |= {waits} if isinstance(waits, str) else set(waits)
        return found & self.resources().keys()

    def _names(self, term) -> Iterator[str]:
        match term:
            case {"Fn::If": [condition, then, otherwise]}:
                yield from self._names(then if self.condition(condition) else otherwise)
            case {"Ref": str() as name}:
                yield name
            case {"Fn::GetAtt": argument}:
                yield argument[0] if isinstance(argument, list) else argument.split(".", 1)[0]
            case {"Fn::Sub": argument}:
                text, given = argument if isinstance(argument, list) else (argument, {})
                yield from (name.split(".", 1)[0] for name in re.findall(r"\$\{([\w.]+)\}", text))
                yield from self._names(given)
            case dict():
                for inner in term.values():
                    yield from self._names(inner)
            case list():
                for inner in term:
                    yield from self._names(inner)


FUNCTIONS = {
    "Ref": Resolved._ref,
    "Fn::GetAtt": Resolved._att,
    "Fn::Sub": Resolved._sub,
    "Fn::If": lambda self, a: self.value(a[1] if self.condition(a[0]) else a[2]),
    "Fn::Split": lambda self, a: self.value(a[1]).split(a[0]),
    "Fn::Select": lambda self, a: self.value(a[1])[int(a[0])],
    "Condition": Resolved.condition,
    "Fn::Equals": lambda self, a: str(self.value(a[0])) == str(self.value(a[1])),
    "Fn::Contains": lambda self, a: self.value(a[1]) in self.value(a[0]),
    "Fn::Not": lambda self, a: not self.value(a[0]),
    "Fn::And": lambda self, a: all(map(self.value, a)),
    "Fn::Or": lambda self, a: any(map(self.value, a)),
}
