"""Updates of a stack: in whatever order CloudFormation carries one out, what is changed already must fit what is not.

CloudFormation changes a resource when those that it depends on are done, and deletes what is no longer there at the end
("Update behaviors of stack resources"). So the states between are the sets of changed resources that contain, with each
resource, all that it depends on. Every check below is made in each of these states.
"""

from collections.abc import Callable, Iterator
from itertools import combinations

import lacking
from report import Failure, Report, equal, require
from resolve import Resolved

DOMAIN = {"DomainName": "registry.example.com", "CertificateArn": "arn", "HostedZoneId": "Z0123456789"}
OPEN = {"KeepFunctionUrlOpen": "true"}
CLOUDFRONT, API, URL = ({"Front": front} for front in ("cloudfront", "http-api", "function-url"))

# Before, after, and the front ends whose clients must be served throughout.
UPDATES = {
    "another SecretVersion": (CLOUDFRONT, CLOUDFRONT | {"SecretVersion": "2"}, ["cloudfront"]),
    "the next SecretVersion": (CLOUDFRONT | {"SecretVersion": "2"}, CLOUDFRONT | {"SecretVersion": "3"}, ["cloudfront"]),
    "CloudFrontDownloads on": (CLOUDFRONT, CLOUDFRONT | {"CloudFrontDownloads": "true"}, ["cloudfront"]),
    "CloudFrontDownloads off": (CLOUDFRONT | {"CloudFrontDownloads": "true"}, CLOUDFRONT, ["cloudfront"]),
    "rules that allow anonymous": (CLOUDFRONT, CLOUDFRONT | {"Rules": "allow anonymous to pull on **"}, ["cloudfront"]),
    "a custom domain": (CLOUDFRONT, CLOUDFRONT | DOMAIN, ["cloudfront"]),
    "function-url to cloudfront, open": (URL, CLOUDFRONT | OPEN, ["function-url"]),
    "and closed": (CLOUDFRONT | OPEN, CLOUDFRONT, ["cloudfront"]),
    "http-api to cloudfront, open": (API | DOMAIN, CLOUDFRONT | DOMAIN | OPEN, ["http-api"]),
    "cloudfront to http-api": (CLOUDFRONT | DOMAIN, API | DOMAIN, ["cloudfront"]),
    "cloudfront to http-api, open": (CLOUDFRONT, API | OPEN, ["cloudfront"]),
    "cloudfront to function-url": (CLOUDFRONT, URL, ["cloudfront"]),
    "function-url to http-api, open": (URL, API | OPEN, ["function-url"]),
    "http-api to function-url": (API, URL, ["http-api"]),
}


def run(report: Report) -> None:
    report.run("updates", {f"{name}": replay(*update) for name, update in UPDATES.items()} | {
        "without KeepFunctionUrlOpen, requests are refused on the way": refused_without,
        "a record keeps its logical id": records,
        "the download key never changes": download_key,
    })


def deployed(parameters: dict[str, str]) -> Resolved:
    """With the secrets that their function returns, and a new placeholder for a store that is replaced."""
    first = Resolved(parameters)
    if "EdgeSecrets" not in first.resources():
        return first
    answer = lacking.secrets(first.properties("EdgeSecrets"))
    attributes = {("EdgeSecrets", name): value for name, value in answer.items()}
    store = Resolved(parameters, attributes=attributes).properties("EdgeKeys")["Name"]
    return Resolved(parameters, {"EdgeKeys": f"<EdgeKeys {store}>"}, attributes)


class State:
    """What there is while an update is under way: `done` are the resources that are changed already."""

    def __init__(self, before: Resolved, after: Resolved, done: frozenset[str]):
        self.before, self.after, self.done = before, after, done

    def has(self, logical: str) -> bool:
        """Nothing is deleted before all else is done."""
        return logical in self.before.resources() or logical in self.done

    def properties(self, logical: str) -> dict:
        return (self.after if logical in self.done else self.before).properties(logical)

    def variables(self) -> dict[str, str]:
        return self.properties("RegistryFunction")["Environment"]["Variables"]


def states(before: Resolved, after: Resolved) -> Iterator[State]:
    there = after.resources()
    changed = [name for name in there
               if name not in before.resources() or before.properties(name) != after.properties(name)]
    needs = {name: reachable(after, name) & set(changed) for name in changed}
    require(len(changed) <= 20, f"{len(changed)} resources change: too many states to look at")
    found = {frozenset()}
    frontier = [frozenset()]
    while frontier:
        done = frontier.pop()
        for name in changed:
            if name not in done and needs[name] <= done and (more := done | {name}) not in found:
                found.add(more)
                frontier.append(more)
    return (State(before, after, done) for done in found)


def reachable(template: Resolved, logical: str) -> set[str]:
    """Everything that a resource depends on, directly or not."""
    found, waiting = set(), [logical]
    while waiting:
        for name in template.dependencies(waiting.pop()) - found:
            found.add(name)
            waiting.append(name)
    return found


def replay(before: dict, after: dict, served: list[str]) -> Callable[[], str]:
    def check() -> str:
        seen = list(states(deployed(before), deployed(after)))
        for state in seen:
            for front in served:
                fits(state, front)
        return f"{len(seen)} states"

    return check


def fits(state: State, front: str) -> None:
    """Fails where a request that comes by `front` is refused, or sent where nothing is."""
    at = f"when {', '.join(sorted(state.done)) or 'nothing'} is done"
    variables = state.variables()
    accepted = variables.get("REGISTRY_HTTP_EDGE_ORIGINSECRET", "").split(",")
    required = "REGISTRY_HTTP_EDGE_ORIGINSECRET" in variables and variables.get("REGISTRY_HTTP_EDGE_REQUIRED") != "false"
    door = {"cloudfront": "EdgeDistribution", "http-api": "HttpApiIntegration", "function-url": "RegistryFunctionUrl"}[front]
    require(state.has(door), f"{door} is gone {at}")
    if front != "cloudfront":
        require(not required, f"the registry refuses who does not come through CloudFront {at}")
        return
    configuration = state.properties("EdgeDistribution")["DistributionConfig"]
    (header,) = configuration["Origins"][0]["OriginCustomHeaders"]
    require(not required or header["HeaderValue"] in accepted, f"the registry refuses CloudFront's secret {at}")
    if "REGISTRY_HTTP_EDGE_UPLOADKEY" in variables:
        signs = variables["REGISTRY_HTTP_EDGE_UPLOADKEY"].split(",")[0]
        require(signs in edge_keys(state), f"the CloudFront function does not know {signs}, which signs uploads, {at}")
    if "REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID" in variables:
        paths = [behaviour["PathPattern"] for behaviour in configuration.get("CacheBehaviors", [])]
        require(any(path.endswith("blobs/*") for path in paths), f"downloads are redirected to no behaviour {at}")
        require(state.has("DownloadKeyGroup"), f"downloads are signed with a key that CloudFront does not know {at}")
        allowed = [s["Sid"] for s in state.properties("BucketPolicy")["PolicyDocument"]["Statement"]]
        require("EdgeDownloads" in allowed, f"CloudFront may not read blobs {at}")


def edge_keys(state: State) -> list[str]:
    """The keys in the store that the CloudFront function reads: a store is imported once, and another has another name."""
    (association,) = state.properties("EdgeFunction")["FunctionConfig"]["KeyValueStoreAssociations"]
    for template in (state.before, state.after):
        if "EdgeKeys" in template.resources():
            if template.value({"Fn::GetAtt": ["EdgeKeys", "Arn"]}) == association["KeyValueStoreARN"]:
                return template.attributes[("EdgeSecrets", "UploadKeys")].split(",")
    raise Failure(f"no store {association}")


def refused_without() -> None:
    """The checks above see what they look for: this is the update that KeepFunctionUrlOpen is for."""
    try:
        replay(URL, CLOUDFRONT, ["function-url"])()
    except Failure as refused:
        require("refuses" in str(refused), str(refused))
        return
    raise Failure("nothing is refused")


def records() -> str:
    """CloudFormation creates before it deletes, and Route 53 refuses a second record of one name and type."""
    pairs = list(combinations(({"Front": front} | DOMAIN for front in ("cloudfront", "http-api")), 2))
    for before, after in pairs:
        one, other = ({
            (p["Name"], p["Type"]): name for name, r in template.resources().items()
            if r["Type"] == "AWS::Route53::RecordSet" and (p := template.properties(name))
        } for template in (deployed(before), deployed(after)))
        for record in one.keys() & other.keys():
            equal(f"logical id of {record}", one[record], other[record])
        require(bool(one.keys() & other.keys()), "the front ends have no record in common")
    return ", ".join(sorted(one.values()))


def download_key() -> None:
    """CloudFront takes no other key for one that it has, and says nothing."""
    keys = [deployed(CLOUDFRONT | more).properties("DownloadKey") for more in
            ({}, {"SecretVersion": "2"}, {"CloudFrontDownloads": "true"}, DOMAIN)]
    equal("kinds of key", len({str(key) for key in keys}), 1)
