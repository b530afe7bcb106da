"""A deployment with CloudFront in front: what it is told, what the edge function is, and that nobody gets past it."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import boto3

import parameters
import roles
import stack
from report import Report, equal, require
from stack import REGION, Stack
from tools import ROOT
from variants import DOMAIN, USERS, there_already, zone

FILE = ROOT / "infra" / "edge" / "function.js"
EDGE = USERS | {"Edge": "true"}
# "Quotas on CloudFront Functions".
LARGEST_FUNCTION = 10 * 1024


def run(report: Report) -> None:
    with report.around("edge"), stack.deployed(EDGE | {"RootDirectory": "team/registry/"}) as made:
        report.run("edge", {
            "its types of resource have no fixed monthly price": lambda: nothing_priced(made),
            "all goes to the registry unless the function says the bucket": lambda: origins(made),
            "the registry takes requests of CloudFront alone": lambda: secret(made),
            "CloudFront may write where uploads wait, and nowhere else": lambda: bucket(made, downloads=False),
            "errors are not remembered": lambda: errors(made),
            "the function is the file, and small enough": lambda: function(made),
            "the function runs on the engine that CloudFront's is made of (njs)": lambda: engine(made),
            "its keys come from the secrets, by their version": lambda: keys(made),
            "what makes the secrets may write them, and no more": lambda: secrets_role(made),
            "the outputs say CloudFront's name": lambda: named(made, made.attribute("EdgeDistribution", "DomainName")),
        })
    with report.around("edge"), stack.deployed(EDGE | {"EdgeDownloads": "true", "EdgeKeyVersion": "7"}) as made:
        report.run("edge", {
            "downloads want a signed URL, and are cached": lambda: downloads(made),
            "CloudFront may read blobs too, and nothing else": lambda: bucket(made, downloads=True),
            "the registry can sign them": lambda: signer(made),
            "another version makes other keys": lambda: equal("store", made.properties("EdgeKeys")["Name"][-2:], "-7"),
        })
    with report.around("edge"), stack.deployed(EDGE | DOMAIN, zone) as made:
        report.run("edge", {
            "a name of one's own is CloudFront's, with its certificate and records": lambda: domain(made),
            "the outputs say that name": lambda: named(made, "registry.example.com"),
        })
    with report.around("edge"), stack.deployed(EDGE | {"EdgeDownloads": "true"}, old_images) as made:
        report.run("edge", {"for a bucket that is there the output says what its policy lacks": lambda: statement(made)})


def old_images() -> dict[str, str]:
    return there_already() | {"RootDirectory": ""}


def configuration(made: Stack) -> dict:
    return made.properties("EdgeDistribution")["DistributionConfig"]


def distribution(made: Stack) -> str:
    return f"arn:aws:cloudfront::{stack.ACCOUNT}:distribution/{made.name('EdgeDistribution')}"


def nothing_priced(made: Stack) -> None:
    """Distributions, functions, stores and controls are paid by use ("Amazon CloudFront pricing"), records by the query."""
    known = {
        "AWS::CloudFront::Distribution", "AWS::CloudFront::Function", "AWS::CloudFront::KeyValueStore",
        "AWS::CloudFront::OriginAccessControl", "Custom::EdgeSecrets",
    }
    equal("types", {made.type(r) for r in made.resources("AWS::CloudFront::") + made.resources("Custom::")}, known)
    require("PriceClass" not in configuration(made) and "WebACLId" not in configuration(made), "something more is bought")
    equal("APIs", made.resources("AWS::ApiGatewayV2::"), [])


def origins(made: Stack) -> None:
    said = configuration(made)
    found = {origin["Id"]: origin for origin in said["Origins"]}
    equal("origins", sorted(found), ["bucket", "registry"])
    url = made.attribute("RegistryFunctionUrl", "FunctionUrl")
    equal("registry", found["registry"]["DomainName"], url.removeprefix("https://").rstrip("/"))
    equal("its protocol", found["registry"]["CustomOriginConfig"]["OriginProtocolPolicy"], "https-only")
    equal("bucket", found["bucket"]["DomainName"], f"{made.name('Bucket')}.s3.{REGION}.amazonaws.com")
    equal("its access", found["bucket"]["OriginAccessControlId"], made.attribute("EdgeBucketAccess", "Id"))
    access = made.properties("EdgeBucketAccess")["OriginAccessControlConfig"]
    equal("signing", (access["SigningBehavior"], access["SigningProtocol"]), ("always", "sigv4"))
    behaviour = said["DefaultCacheBehavior"]
    equal("default", behaviour["TargetOriginId"], "registry")
    equal("methods", sorted(behaviour["AllowedMethods"]), ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
    # "Use managed cache policies", "Use managed origin request policies".
    equal("CachingDisabled", behaviour["CachePolicyId"], "4135ea2d-6df8-44a3-9df3-4b5a84be39ad")
    equal("AllViewerExceptHostHeader", behaviour["OriginRequestPolicyId"], "b689b0a8-53d0-40ab-baf2-68738e2966ac")
    arn = made.attribute("EdgeFunction", "FunctionMetadata.FunctionARN")
    equal("functions", {a["EventType"]: a["FunctionARN"] for a in behaviour["FunctionAssociations"]},
          {"viewer-request": arn, "viewer-response": arn})
    require("CacheBehaviors" not in said, "something else is served without the function")


def secret(made: Stack) -> None:
    (registry,) = (o for o in configuration(made)["Origins"] if o["Id"] == "registry")
    equal("header", registry["OriginCustomHeaders"], [{"HeaderName": "x-berth-origin", "HeaderValue": "origin-1"}])
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("taken", variables["REGISTRY_HTTP_EDGE_ORIGINSECRET"], "origin-1,origin-before")
    equal("signs", variables["REGISTRY_HTTP_EDGE_UPLOADKEY"], "upload-1,upload-before")
    equal("trusts S3's checksum", variables["REGISTRY_HTTP_EDGE_CHECKSUM"], "false")
    require("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY" not in variables, "downloads are signed without being asked for")
    require("REGISTRY_HTTP_HOST" not in variables, "a host is set that nobody knows yet")


def bucket(made: Stack, downloads: bool) -> None:
    root = made.properties("RegistryFunction")["Environment"]["Variables"]["REGISTRY_STORAGE_S3_ROOTDIRECTORY"]
    base = f"arn:aws:s3:::{made.name('Bucket')}/{root}docker/registry/v2"
    found = json.loads(boto3.client("s3", region_name=REGION).get_bucket_policy(Bucket=made.name("Bucket"))["Policy"])
    allowed = [s for s in found["Statement"] if s["Effect"] == "Allow"]
    expected = [("s3:PutObject", f"{base}/repositories/*/_uploads/*/edge/*")]
    expected += [("s3:GetObject", f"{base}/blobs/*")] if downloads else []
    equal("allowed", [(s["Action"], s["Resource"]) for s in allowed], expected)
    for one in allowed:
        equal("whom", one["Principal"], {"Service": "cloudfront.amazonaws.com"})
        equal("which", one["Condition"], {"StringEquals": {"aws:SourceArn": distribution(made)}})


def errors(made: Stack) -> None:
    said = {e["ErrorCode"]: e["ErrorCachingMinTTL"] for e in configuration(made)["CustomErrorResponses"]}
    # Those that CloudFront remembers ("HTTP status codes that CloudFront always caches", ".. caches based on headers").
    equal("seconds", said, dict.fromkeys((400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504), 0))


def placed(root: str, largest: str, checksum: str) -> str:
    text = FILE.read_text()
    for name, value in {"RootDirectory": root, "EdgeLargest": largest, "EdgeChecksum": checksum}.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def function(made: Stack) -> str:
    code = made.properties("EdgeFunction")["FunctionCode"]
    require(code.strip() == placed("team/registry/", "5000000000", "false").strip(),
            "template.yaml has another function than infra/edge/function.js: make edge-function")
    equal("left to place", re.findall(r"\$\{", code), [])
    equal("runtime", made.properties("EdgeFunction")["FunctionConfig"]["Runtime"], "cloudfront-js-2.0")
    # As long as a name of a folder may be in reason.
    size = len(placed("f" * 255 + "/", "5000000000", "false").encode())
    require(size <= LARGEST_FUNCTION, f"{size} bytes, CloudFront takes {LARGEST_FUNCTION}")
    return f"{size} of {LARGEST_FUNCTION} bytes"


# The part of CloudFront's module that the function uses, and one request of each kind through it.
CLOUDFRONT = """export default {
    kvs: () => ({ get: async (key) => ({ 'upload-keys': 'new,old' })[key] }),
    selectRequestOriginById: (id) => { console.log('origin ' + id); },
};
"""
REQUESTS = """
async function main() {
    var id = '0192f5a2-1111-7222-8333-444444444444';
    var until = String(Math.floor(Date.now() / 1000) + 60);
    var mac = crypto.createHmac('sha256', 'old').update(['berth-edge-1', 'a/b', id, until].join('\\n')).digest('base64url');
    var query = { _state: { value: 'x.y' }, _edge: { value: until + '.' + mac }, digest: { value: 'sha256%3A' + 'ab'.repeat(32) } };
    var headers = { host: { value: 'example.com' }, 'content-length': { value: '5000000' }, 'x-amz-acl': { value: 'public-read' } };
    var request = { method: 'PUT', uri: '/v2/a/b/blobs/uploads/' + id, querystring: query, headers: headers, cookies: {} };
    var sent = await handler({ context: { eventType: 'viewer-request' }, request: request });
    console.log(sent.uri + ' ' + Object.keys(sent.headers).sort().join());
    var response = { statusCode: 200, headers: { etag: { value: '"e"' } } };
    var answer = await handler({ context: { eventType: 'viewer-response' }, request: sent, response: response });
    console.log(answer.statusCode + ' ' + answer.headers.location.value);
    var patch = { method: 'PATCH', uri: request.uri, querystring: {}, headers: { host: { value: 'h' } }, cookies: {} };
    var refused = await handler({ context: { eventType: 'viewer-request' }, request: patch });
    console.log(refused.statusCode + ' ' + JSON.parse(refused.body).errors[0].code);
}
main().catch((error) => { console.log('failed: ' + error); });
"""


def engine(made: Stack) -> str:
    """CloudFront's engine is a njs ("JavaScript runtime 2.0 features" lists what it has); what that cannot read fails here."""
    njs = shutil.which("njs")
    require(njs is not None, "no njs: tests/clients/install njs")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cloudfront").write_text(CLOUDFRONT)
        Path(folder, "function.js").write_text(made.properties("EdgeFunction")["FunctionCode"] + REQUESTS)
        said = subprocess.run([njs, "-p", folder, f"{folder}/function.js"], text=True, capture_output=True, timeout=60)
    upload, digest = "0192f5a2-1111-7222-8333-444444444444", "ab" * 32
    equal("njs", (said.stdout + said.stderr).splitlines(), [
        "origin bucket",
        f"/team/registry/docker/registry/v2/repositories/a/b/_uploads/{upload}/edge/sha256/{digest} content-length,host,x-berth-commit",
        f"303 /v2/a/b/blobs/uploads/{upload}?_state=x.y&digest=sha256:{digest}&size=5000000&commit=edge",
        "405 UNSUPPORTED",
    ])
    return subprocess.run([njs, "-v"], text=True, capture_output=True).stdout.strip()


def keys(made: Stack) -> None:
    store = made.properties("EdgeKeys")
    equal("import", store["ImportSource"], {"SourceType": "S3", "SourceArn": "arn:aws:s3:::bucket/berth/edge/keys-1.json"})
    associated = made.properties("EdgeFunction")["FunctionConfig"]["KeyValueStoreAssociations"]
    equal("store", associated, [{"KeyValueStoreARN": made.attribute("EdgeKeys", "Arn")}])
    equal("asks", made.properties("EdgeSecrets")["ServiceToken"], made.arn("EdgeSecretsFunction"))
    # Else a function that dies lets the stack hang for an hour.
    require(made.properties("EdgeSecrets")["ServiceTimeout"] <= 300, "a stack waits long for a function that died")


def secrets_role(made: Stack) -> None:
    name = f"arn:aws:s3:::{made.name('Bucket')}"
    roles.same_statements("EdgeSecretsRole", roles.statements(made, "EdgeSecretsRole"), {
        "WriteLogs": (roles.LOGS, [roles.logs_of(made, "EdgeSecretsLogs")], {}),
        "MissSecrets": ({"s3:ListBucket"}, [name], {}),
        "KeepSecrets": ({"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, [f"{name}/team/registry/berth/edge/*"], {}),
    })
    equal("runs as", made.properties("EdgeSecretsFunction")["Role"], made.arn("EdgeSecretsRole"))
    equal("plays", made.properties("EdgeSecretsFunction")["Handler"], "edge-secrets")


def named(made: Stack, host: str) -> str:
    equal("host", made.outputs["RegistryHost"], host)
    equal("login", made.outputs["LoginCommand"], f"berth login {host}")
    return host


def downloads(made: Stack) -> None:
    (behaviour,) = configuration(made)["CacheBehaviors"]
    equal("path", behaviour["PathPattern"], "/docker/registry/v2/blobs/*")
    equal("from", behaviour["TargetOriginId"], "bucket")
    equal("methods", behaviour["AllowedMethods"], ["GET", "HEAD"])
    equal("signers", behaviour["TrustedKeyGroups"], [made.name("DownloadKeyGroup")])
    equal("CachingOptimized", behaviour["CachePolicyId"], "658327ea-f89d-4fab-a63d-7e88639e58f6")
    equal("keys", made.properties("DownloadKeyGroup")["KeyGroupConfig"]["Items"], [made.name("DownloadKey")])


def signer(made: Stack) -> None:
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("key", variables["REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID"], made.name("DownloadKey"))
    equal("private", variables["REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY"], "private")
    equal("asked for", made.properties("EdgeSecrets")["Downloads"], "true")
    equal("public", made.properties("DownloadKey")["PublicKeyConfig"]["EncodedKey"], "-----BEGIN PUBLIC KEY-----")


def domain(made: Stack) -> None:
    said = configuration(made)
    equal("names", said["Aliases"], ["registry.example.com"])
    equal("certificate", said["ViewerCertificate"]["AcmCertificateArn"], parameters.CERTIFICATE)
    equal("TLS", said["ViewerCertificate"]["MinimumProtocolVersion"], "TLSv1.2_2021")
    name = made.attribute("EdgeDistribution", "DomainName")
    equal("target", made.outputs["DomainTarget"], name)
    for record, kind in (("EdgeRecord", "A"), ("EdgeRecordIpv6", "AAAA")):
        said = made.properties(record)
        equal(kind, (said["Type"], said["Name"], said["AliasTarget"]["DNSName"]), (kind, "registry.example.com", name))
    equal("records", sorted(made.resources("AWS::Route53::")), ["EdgeRecord", "EdgeRecordIpv6"])
    equal("APIs", made.resources("AWS::ApiGatewayV2::"), [])
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("host", variables["REGISTRY_HTTP_HOST"], "https://registry.example.com")


def statement(made: Stack) -> None:
    said = json.loads(f"[{made.outputs['EdgeBucketStatement']}]")
    base = "arn:aws:s3:::old-images/docker/registry/v2"
    equal("allowed", [(s["Action"], s["Resource"], s["Condition"]["StringEquals"]["aws:SourceArn"]) for s in said], [
        ("s3:PutObject", f"{base}/repositories/*/_uploads/*/edge/*", distribution(made)),
        ("s3:GetObject", f"{base}/blobs/*", distribution(made)),
    ])
