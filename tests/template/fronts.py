"""Deployments without CloudFront: behind an HTTP API, with and without a custom domain, and by the function URL alone."""

import parameters
import stack
from default import has_session
from report import Report, equal, require
from stack import REGION, Stack
from variants import DOMAIN, USERS, records, zone

API = USERS | {"Front": "http-api"}
URL = USERS | {"Front": "function-url"}


def run(report: Report) -> None:
    with report.around("http-api"), stack.deployed(API) as made:
        report.run("http-api", {
            "every request reaches the registry, in payload 2.0": lambda: api(made, named=False),
            "headers that an API may rename are restored": lambda: restored(made),
            "there is no other way to the registry": lambda: only(made, "AWS::ApiGatewayV2::"),
            "the outputs name the API's own host": lambda: has_session(made, endpoint(made)),
        })
    with report.around("http-api"), stack.deployed(API | DOMAIN, zone) as made:
        report.run("http-api", {
            "a custom domain is the API's only name": lambda: api(made, named=True),
            "it has its certificate and its record": lambda: domain(made),
            "the registry and the outputs name it": lambda: named(made),
        })
    with report.around("http-api"), stack.deployed(API | DOMAIN) as made:
        report.run("http-api", {
            "without a zone there is no record": lambda: equal("records", made.resources("AWS::Route53::"), []),
        })
    with report.around("http-api"), stack.deployed(API | {"KeepFunctionUrlOpen": "true"}) as made:
        report.run("http-api", {"KeepFunctionUrlOpen adds the function URL": lambda: both(made)})
    with report.around("url"), stack.deployed(URL) as made:
        report.run("url", {
            "there is no other way to the registry": lambda: only(made, "AWS::Lambda::Url"),
            "the outputs use clients that can speak to it": lambda: has_session(made, url_host(made), "function-url"),
        })


def endpoint(made: Stack) -> str:
    return made.attribute("HttpApi", "ApiEndpoint").removeprefix("https://")


def url_host(made: Stack) -> str:
    return made.attribute("RegistryFunctionUrl", "FunctionUrl").removeprefix("https://").rstrip("/")


def only(made: Stack, kind: str) -> None:
    """Of the ways in, the stack has those of one kind, and the registry knows no CloudFront."""
    ways = ("AWS::ApiGatewayV2::", "AWS::Lambda::Url", "AWS::CloudFront::", "Custom::", "AWS::Route53::")
    equal("ways", [way for way in ways if made.resources(way)], [kind])
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("variables", [v for v in variables if v.startswith("REGISTRY_HTTP_") or "CLOUDFRONT" in v], [])


def both(made: Stack) -> None:
    equal("URLs", made.resources("AWS::Lambda::Url"), ["RegistryFunctionUrl"])
    equal("output", made.outputs["FunctionUrlHost"], url_host(made))
    equal("host", made.outputs["RegistryHost"], endpoint(made))


def api(made: Stack, named: bool) -> None:
    equal("protocol", made.properties("HttpApi")["ProtocolType"], "HTTP")
    equal("has no name of its own", made.properties("HttpApi")["DisableExecuteApiEndpoint"], named)
    integration = made.properties("HttpApiIntegration")
    equal("calls", integration["IntegrationUri"], made.arn("RegistryFunction"))
    equal("payload", (integration["IntegrationType"], integration["PayloadFormatVersion"]), ("AWS_PROXY", "2.0"))
    route = made.properties("HttpApiRoute")
    equal("route", (route["RouteKey"], route["Target"]), ("$default", f"integrations/{made.name('HttpApiIntegration')}"))
    # The name of another stage would precede every path.
    equal("stage", made.properties("HttpApiStage")["StageName"], "$default")
    permission = made.properties("HttpApiPermission")
    seen = (permission["Principal"], permission["Action"], permission["SourceArn"])
    source = f"arn:aws:execute-api:{REGION}:{stack.ACCOUNT}:{made.name('HttpApi')}/*"
    equal("permission", seen, ("apigateway.amazonaws.com", "lambda:InvokeFunction", source))


# "Transform API requests and responses for HTTP APIs": parameter mapping refuses these.
RESERVED = ("access-control-", "apigw-", "authorization", "connection", "content-encoding", "content-length",
            "content-location", "forwarded", "keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te",
            "trailers", "transfer-encoding", "upgrade", "x-amz-", "x-amzn-", "x-forwarded-", "via")


def restored(made: Stack) -> None:
    written = made.properties("HttpApiIntegration")["ResponseParameters"]
    seen = {(status, p["Destination"], p["Source"]) for status, entry in written.items() for p in entry["ResponseParameters"]}
    challenge = ("overwrite:header.www-authenticate", "$response.header.x-berth-challenge")
    length = ("overwrite:header.range", "$response.header.x-berth-range")
    equal("restored", seen, {("401", *challenge), ("202", *length), ("204", *length), ("416", *length)})
    for _, destination, _ in seen:
        header = destination.partition("header.")[2]
        require(not any(header == name or name.endswith("-") and header.startswith(name) for name in RESERVED),
                f"{header} is reserved")


def domain(made: Stack) -> None:
    (configuration,) = made.properties("Domain")["DomainNameConfigurations"]
    equal("certificate", configuration["CertificateArn"], parameters.CERTIFICATE)
    equal("TLS", configuration["SecurityPolicy"], "TLS_1_2")
    equal("records", records(made), [("A", "registry.example.com", made.outputs["DomainTarget"])])


def named(made: Stack) -> None:
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("REGISTRY_HTTP_HOST", variables["REGISTRY_HTTP_HOST"], "https://registry.example.com")
    has_session(made, "registry.example.com")
