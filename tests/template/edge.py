"""A deployment behind CloudFront: its configuration, its function, and that nobody gets past it."""

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
from default import has_session
from report import Report, equal, require
from resolve import Resolved
from stack import REGION, Stack
from tools import ROOT
from variants import DOMAIN, USERS, there_already, zone, records

FILE = ROOT / "infra" / "edge" / "function.js"
# "Quotas on CloudFront Functions".
LARGEST_FUNCTION = 10 * 1024


def run(report: Report) -> None:
    with report.around("edge"), stack.deployed(USERS | {"RootDirectory": "team/registry/"}) as made:
        report.run("edge", {
            "no class of edge locations or firewall is bought": lambda: nothing_priced(made),
            "requests go to the registry unless the function selects the bucket": lambda: origins(made),
            "each origin has 120 seconds, and is asked once": lambda: patience(made),
            "the registry accepts requests from CloudFront only": lambda: secret(made),
            "CloudFront may write stages and read blobs, and nothing else": lambda: bucket(made),
            "blobs have a behaviour that requires a signed URL": lambda: downloads(made),
            "errors are not cached": lambda: errors(made),
            "the function is the file, and small enough": lambda: function(made),
            "the function runs on the engine that CloudFront's is made of (njs)": lambda: engine(made),
            "its keys come from the secrets, by their version": lambda: keys(made),
            "the secrets are made for this stack's rules and bucket": lambda: asked(made),
            "the secrets' function may write this stack's secrets only": lambda: secrets_role(made),
            "names are the stack's own, whatever its name": lambda: names(made),
            "the outputs name CloudFront's host": lambda: has_session(made, made.attribute("EdgeDistribution", "DomainName")),
        })
    with report.around("edge"), stack.deployed(USERS | {"CloudFrontDownloads": "true", "SecretVersion": "7"}) as made:
        report.run("edge", {
            "with CloudFrontDownloads the registry signs URLs": lambda: signer(made),
            "another version makes other keys": lambda: equal("store", made.properties("EdgeKeys")["Name"][-2:], "-7"),
        })
    with report.around("edge"), stack.deployed(USERS | {"KeepFunctionUrlOpen": "true"}) as made:
        report.run("edge", {"KeepFunctionUrlOpen lets requests past CloudFront too": lambda: open_url(made)})
    with report.around("edge"), stack.deployed(USERS | DOMAIN, zone) as made:
        report.run("edge", {
            "a custom domain is CloudFront's, with its certificate and records": lambda: domain(made),
            "the outputs name the domain": lambda: has_session(made, "registry.example.com"),
        })
    with report.around("edge"), stack.deployed(USERS, old_images) as made:
        report.run("edge", {"for an existing bucket the output has what its policy lacks": lambda: statement(made)})
    report.run("edge", {"a bucket or root that CloudFront cannot serve is refused": refused})


def old_images() -> dict[str, str]:
    return there_already() | {"RootDirectory": ""}


def configuration(made: Stack) -> dict:
    return made.properties("EdgeDistribution")["DistributionConfig"]


def distribution(made: Stack) -> str:
    return f"arn:aws:cloudfront::{stack.ACCOUNT}:distribution/{made.name('EdgeDistribution')}"


def nothing_priced(made: Stack) -> None:
    """The rest is paid by use ("Amazon CloudFront pricing"); default.py knows the types."""
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


def patience(made: Stack) -> None:
    for origin in configuration(made)["Origins"]:
        waits = origin.get("CustomOriginConfig", origin.get("S3OriginConfig"))["OriginReadTimeout"]
        # "Quotas": at most 120. Further attempts would repeat a GET that is still at work.
        equal(origin["Id"], (waits, origin["ConnectionAttempts"]), (120, 1))
        require("ResponseCompletionTimeout" not in origin, "a long download is cut off")


def secret(made: Stack) -> None:
    (registry,) = (o for o in configuration(made)["Origins"] if o["Id"] == "registry")
    equal("header", registry["OriginCustomHeaders"], [{"HeaderName": "x-berth-origin", "HeaderValue": "origin-1"}])
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("accepted", variables["REGISTRY_HTTP_EDGE_ORIGINSECRET"], "origin-1")
    equal("signs", variables["REGISTRY_HTTP_EDGE_UPLOADKEY"], "upload-1")
    require("REGISTRY_HTTP_EDGE_REQUIRED" not in variables, "requests may go past CloudFront")
    require("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY" not in variables, "downloads are signed without being asked for")
    require("REGISTRY_HTTP_HOST" not in variables, "a host is set that nobody knows yet")


def open_url(made: Stack) -> None:
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("REGISTRY_HTTP_EDGE_REQUIRED", variables["REGISTRY_HTTP_EDGE_REQUIRED"], "false")
    equal("accepted", variables["REGISTRY_HTTP_EDGE_ORIGINSECRET"], "origin-1")


def bucket(made: Stack) -> None:
    root = made.properties("RegistryFunction")["Environment"]["Variables"]["REGISTRY_STORAGE_S3_ROOTDIRECTORY"]
    base = f"arn:aws:s3:::{made.name('Bucket')}/{root}docker/registry/v2"
    found = json.loads(boto3.client("s3", region_name=REGION).get_bucket_policy(Bucket=made.name("Bucket"))["Policy"])
    allowed = [s for s in found["Statement"] if s["Effect"] == "Allow"]
    expected = [("s3:PutObject", f"{base}/repositories/*/_uploads/*/edge/*"), ("s3:GetObject", f"{base}/blobs/*")]
    equal("allowed", [(s["Action"], s["Resource"]) for s in allowed], expected)
    for one in allowed:
        equal("whom", one["Principal"], {"Service": "cloudfront.amazonaws.com"})
        equal("which", one["Condition"], {"StringEquals": {"aws:SourceArn": distribution(made)}})


def errors(made: Stack) -> None:
    said = {e["ErrorCode"]: e["ErrorCachingMinTTL"] for e in configuration(made)["CustomErrorResponses"]}
    # Those that CloudFront remembers ("HTTP status codes that CloudFront always caches", ".. caches based on headers").
    equal("seconds", said, dict.fromkeys((400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504), 0))


def placed(root: str, domain: str = "", anonymous: str = "false") -> str:
    """The file as infra/edge/embed copies it, without comments and indentation, and as CloudFormation fills it in."""
    lines = [line.lstrip(" ") for line in FILE.read_text().splitlines()]
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    values = {"RootDirectory": root, "LargestLayer": "5000000000", "DomainName": domain, "Anonymous": anonymous}
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def function(made: Stack) -> str:
    code = made.properties("EdgeFunction")["FunctionCode"]
    comment, _, rest = code.partition("\n")
    require(comment.startswith("//") and rest.strip() == placed("team/registry/"),
            "template.yaml has another function than infra/edge/function.js: make edge-function")
    equal("left to place", re.findall(r"\$\{", code), [])
    equal("runtime", made.properties("EdgeFunction")["FunctionConfig"]["Runtime"], "cloudfront-js-2.0")
    longest = {name: parameter.get("MaxLength") for name, parameter in stack.template()["Parameters"].items()}
    size = len(f"{comment}\n{placed('f' * longest['RootDirectory'], 'd' * longest['DomainName'])}\n".encode())
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
    var put = { host: { value: 'example.com' }, 'content-length': { value: '5000000' }, 'x-amz-acl': { value: 'public-read' } };
    var request = { method: 'PUT', uri: '/v2/a/b/blobs/uploads/' + id, querystring: query, headers: put, cookies: {} };
    var sent = await handler({ context: { eventType: 'viewer-request' }, request: request });
    console.log(sent.uri + ' ' + Object.keys(sent.headers).sort().join());
    var response = { statusCode: 200, headers: { etag: { value: '"e"' } } };
    var answer = await handler({ context: { eventType: 'viewer-response' }, request: sent, response: response });
    console.log(answer.statusCode + ' ' + answer.headers.location.value);
    var token = { value: 'Bearer t' };
    var kinds = [{}, { authorization: token }, { authorization: token, 'content-length': { value: '5000000' } }];
    var patch;
    for (var i = 0; i < kinds.length; i++) {
        var headers = kinds[i];
        headers.host = { value: 'h' };
        patch = { method: 'PATCH', uri: '/v2/a/b/blobs/uploads/' + id, querystring: {}, headers: headers, cookies: {} };
        sent = await handler({ context: { eventType: 'viewer-request' }, request: patch });
        console.log(sent.statusCode ? sent.statusCode + ' ' + JSON.parse(sent.body).errors[0].code : 'sent on ' + sent.uri);
    }
    var carried = { 'x-berth-status': { value: '401' }, 'x-berth-challenge': { value: 'Bearer realm="r"' } };
    var encoded = { statusCode: 300, headers: carried };
    var restored = await handler({ context: { eventType: 'viewer-response' }, request: patch, response: encoded });
    console.log(restored.statusCode + ' ' + restored.headers['www-authenticate'].value);
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
        f"/team/registry/docker/registry/v2/repositories/a/b/_uploads/{upload}/edge/sha256/{digest} "
        "content-length,host,x-amz-content-sha256,x-berth-commit",
        f"303 /v2/a/b/blobs/uploads/{upload}?_state=x.y&digest=sha256:{digest}&size=5000000&commit=edge",
        "401 UNAUTHORIZED",
        f"sent on /v2/a/b/blobs/uploads/{upload}",
        "405 UNSUPPORTED",
        '401 Bearer realm="r"',
    ])
    return subprocess.run([njs, "-v"], text=True, capture_output=True).stdout.strip()


def keys(made: Stack) -> None:
    store = made.properties("EdgeKeys")
    equal("import", store["ImportSource"], {"SourceType": "S3", "SourceArn": made.attribute("EdgeSecrets", "KeysArn")})
    associated = made.properties("EdgeFunction")["FunctionConfig"]["KeyValueStoreAssociations"]
    equal("store", associated, [{"KeyValueStoreARN": made.attribute("EdgeKeys", "Arn")}])
    # CreateFunction refuses a store that is not ready, and a reference alone does not wait until it is.
    require("EdgeKeys" in made.written("EdgeFunction")["DependsOn"], "the function does not wait for its store")


def asked(made: Stack) -> None:
    secrets = made.properties("EdgeSecrets")
    equal("calls", secrets["ServiceToken"], made.arn("EdgeSecretsFunction"))
    equal("properties", {key: secrets[key] for key in secrets if not key.startswith("Service")}, {
        "Version": "1",
        "Rules": f"allow account:{stack.ACCOUNT} to pull, push, delete, catalog on **",
        "Bucket": made.name("Bucket"),
        "RootDirectory": "team/registry/",
    })
    # Without it a function that cannot answer lets the stack wait for an hour.
    require(secrets["ServiceTimeout"] <= 300, "a stack waits long for a function that died")
    lives = made.properties("EdgeSecretsFunction")["Timeout"]
    require(40 < lives < secrets["ServiceTimeout"], f"{lives} s are not enough to retry for 40 s, or too many to say why it failed")


def secrets_role(made: Stack) -> None:
    name = f"arn:aws:s3:::{made.name('Bucket')}"
    roles.same_statements("EdgeSecretsRole", roles.statements(made, "EdgeSecretsRole"), {
        "WriteLogs": (roles.LOGS, [roles.logs_of(made, "EdgeSecretsLogs")], {}),
        "MissSecrets": ({"s3:ListBucket"}, [name], {}),
        "KeepSecrets": ({"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
                        [f"{name}/team/registry/berth/edge/{made.uuid}/*"], {}),
    })
    equal("runs as", made.properties("EdgeSecretsFunction")["Role"], made.arn("EdgeSecretsRole"))
    equal("plays", made.properties("EdgeSecretsFunction")["Handler"], "edge-secrets")


# "Quotas on CloudFront Functions", "CreateKeyValueStore", "OriginAccessControlConfig": letters, digits, - and _.
NAME = re.compile("[A-Za-z0-9_-]{1,64}")


def names(made: Stack) -> str:
    """Two stacks, also two of one name one after the other, have different names, and none is too long."""
    found = {
        "EdgeFunction": made.properties("EdgeFunction")["Name"],
        "EdgeKeys": made.properties("EdgeKeys")["Name"].removesuffix("-1") + "-999999999",  # SecretVersion's longest
        "EdgeBucketAccess": made.properties("EdgeBucketAccess")["OriginAccessControlConfig"]["Name"],
        "DownloadKey": made.properties("DownloadKey")["PublicKeyConfig"]["Name"],
        "DownloadKeyGroup": made.properties("DownloadKeyGroup")["KeyGroupConfig"]["Name"],
    }
    for logical, name in found.items():
        require(NAME.fullmatch(name) is not None, f"{logical}: {name!r} is no name of up to 64 characters")
        require(made.uuid in name, f"{logical}: {name!r} is not this stack's own")
    # "DistributionConfig": a comment of up to 128 characters, like a stack's name.
    equal("comment", stack.template()["Resources"]["EdgeDistribution"]["Properties"]["DistributionConfig"]["Comment"],
          {"Ref": "AWS::StackName"})
    return f"at most {max(map(len, found.values()))} characters"


def downloads(made: Stack) -> None:
    (behaviour,) = configuration(made)["CacheBehaviors"]
    equal("path", behaviour["PathPattern"], "/team/registry/docker/registry/v2/blobs/*")
    equal("from", behaviour["TargetOriginId"], "bucket")
    equal("methods", behaviour["AllowedMethods"], ["GET", "HEAD"])
    equal("signers", behaviour["TrustedKeyGroups"], [made.name("DownloadKeyGroup")])
    equal("CachingOptimized", behaviour["CachePolicyId"], "658327ea-f89d-4fab-a63d-7e88639e58f6")
    equal("keys", made.properties("DownloadKeyGroup")["KeyGroupConfig"]["Items"], [made.name("DownloadKey")])


def signer(made: Stack) -> None:
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("key", variables["REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID"], made.name("DownloadKey"))
    equal("private", variables["REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY"], "private")
    equal("public", made.properties("DownloadKey")["PublicKeyConfig"]["EncodedKey"], "-----BEGIN PUBLIC KEY-----")


def domain(made: Stack) -> None:
    said = configuration(made)
    equal("names", said["Aliases"], ["registry.example.com"])
    equal("certificate", said["ViewerCertificate"]["AcmCertificateArn"], parameters.CERTIFICATE)
    equal("TLS", said["ViewerCertificate"]["MinimumProtocolVersion"], "TLSv1.2_2021")
    name = made.attribute("EdgeDistribution", "DomainName")
    equal("target", made.outputs["DomainTarget"], name)
    equal("records", records(made), [("A", "registry.example.com", name), ("AAAA", "registry.example.com", name)])
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


def refused() -> str:
    """The wait conditions that stop such a deployment. Other front ends take both."""
    fit = [("images", ""), ("", "team/registry/"), ("my-images", "a.b_c/")]
    unfit = [("images.example.com", ""), ("a.b", "team/"), ("images", "a+b/"), ("", "a=b/"), ("images", "+/")]
    for parameters, stops in [(pair, False) for pair in fit] + [(pair, True) for pair in unfit]:
        given = dict(zip(("ExistingBucket", "RootDirectory"), parameters))
        for front in ("cloudfront", "http-api", "function-url"):
            deployed = Resolved(given | {"Front": front}).resources()
            waits = [r for r in deployed.values() if r["Type"] == "AWS::CloudFormation::WaitCondition"]
            equal(f"{given} refused with {front}", bool(waits), stops and front == "cloudfront")
            # Nobody signals them: they fail when the time is over.
            equal("seconds", [wait["Properties"]["Timeout"] for wait in waits], ["1"] * len(waits))
    return f"{len(unfit)} of {len(fit + unfit)}"
