"""The assumptions about AWS which the local stack plays (`lambda-local --assumptions`), and what each value means.

Those with fronts can be observed from outside through them; a run against the local stack compares what was observed
with what the stack was told to play.
"""

from __future__ import annotations

from dataclasses import dataclass

CLOUDFRONT, HTTP_API, FUNCTION_URL = "cloudfront", "http-api", "function-url"
FRONTS = (CLOUDFRONT, HTTP_API, FUNCTION_URL)


@dataclass(frozen=True)
class Assumption:
    name: str
    question: str
    values: dict  # value -> what works, and what to change; the first is the local stack's default
    fronts: tuple  # through which a check can observe it; none: `unobserved` says why
    unobserved: str = ""

    @property
    def default(self) -> str:
        return next(iter(self.values))


ASSUMPTIONS = (
    Assumption(
        "function-url-challenge",
        "Does a function URL rename the response header WWW-Authenticate?",
        {
            "renamed": "With Front=function-url only crane, cosign and berth can log in. "
            "Use Front=cloudfront or http-api.",
            "kept": "Front=function-url works with every client; its restriction in the documentation can go.",
        },
        (FUNCTION_URL,),
    ),
    Assumption(
        "http-api-challenge",
        "Does an HTTP API rename the response header WWW-Authenticate?",
        {
            "renamed": "The integration's ResponseParameters are needed: they restore the header for status 401.",
            "kept": "Works with and without the integration's ResponseParameters.",
        },
        (HTTP_API,),
    ),
    Assumption(
        "head-length",
        "Which Content-Length does the response to HEAD of a manifest have?",
        {
            "computed": "Right, because the registry returns the manifest to Lambda for HEAD too.",
            "none": "Docker's classic image store cannot pull; crane, helm, oras and cosign fail to push what exists. "
            "Use clients that accept a HEAD response without a length (Docker 29, podman, skopeo, ctr, regctl).",
            "kept": "Right. The registry need not return the manifest to Lambda for HEAD.",
        },
        FRONTS,
    ),
    Assumption(
        "two-authorizations",
        "What happens to a request with two Authorization headers?",
        {
            "refused": "AWS answers 400; the registry never sees such a request.",
            "joined": "The registry sees both values, joined by a comma, and refuses them. No change.",
        },
        (CLOUDFRONT, FUNCTION_URL),
    ),
    Assumption(
        "trailing-slash",
        "Does requestContext.http.path lose a trailing slash?",
        {
            "dropped": "No change: the registry reads rawPath, which keeps it.",
            "kept": "No change.",
        },
        (),
        "the registry reads rawPath alone; the check only shows that paths with a trailing slash work",
    ),
    Assumption(
        "range-header",
        "Is the response header Range renamed?",
        {
            "kept": "No change.",
            "renamed": "Docker's classic store, podman and skopeo need Range after a PATCH: with Front=cloudfront and "
            "http-api it is restored from x-berth-range, with function-url these clients cannot push.",
        },
        FRONTS,
    ),
    Assumption(
        "chunked-requests",
        "Is a request body without Content-Length accepted?",
        {
            "accepted": "Docker's classic store, podman, skopeo, kaniko, ko and cosign push layers of up to 4.5 MB.",
            "refused": "These clients cannot push at all: use Docker's containerd image store, `berth push` or "
            "`berth gateway`.",
        },
        (CLOUDFRONT, FUNCTION_URL),
    ),
    Assumption(
        "request-bodies",
        "Which request bodies does Lambda receive in base64?",
        {
            "binary-in-base64": "Text and JSON of up to about 6 MB fit in an event, other content of about 4.5 MB.",
            "all-in-base64": "Every body is limited to about 4.5 MB. Manifests have at most 4 MiB: no change.",
        },
        FRONTS,
    ),
    Assumption(
        "event-limit",
        "How large may an event be?",
        {
            "6291556": "No change: CloudFront's function forwards at most 4 MiB.",
            "6291456": "No change: CloudFront's function forwards at most 4 MiB.",
        },
        (),
        "the 100 bytes between the values cannot be told apart without the size of the event's other fields; the check "
        "shows the largest body",
    ),
    Assumption(
        "when-busy",
        "What happens to a request while every instance is busy and no more may start?",
        {
            "wait": "No change.",
            "refuse": "Clients see 429 (503 through an HTTP API) and retry; raise the account's concurrency quota if "
            "that happens often.",
        },
        FRONTS,
    ),
    Assumption(
        "viewer-response-sees",
        "Which request does the viewer-response function see?",
        {
            "rewritten": "No change: it reads the commit's URL from x-berth-commit.",
            "original": "No change: it builds the commit's URL from the client's request.",
        },
        (CLOUDFRONT,),
    ),
    Assumption(
        "viewer-response-runs",
        "Does the viewer-response function run, and may it set statuses 401 and 303?",
        {
            "yes": "No change: it restores 401 and its challenge, and sends a client from S3's answer to the commit.",
            "no": "Front=cloudfront does not work: expired tokens are not renewed, and layers above 4 MiB are not "
            "committed. Use Front=http-api with `berth push`, and report it.",
        },
        (CLOUDFRONT,),
    ),
    Assumption(
        "content-sha256",
        "Does CloudFront's signature for S3 cover x-amz-content-sha256 as the function set it?",
        {
            "signed": "S3 refuses other content at once, before anything is stored.",
            "ignored": "Wrong content is stored at the upload's stage and refused by the commit (400 DIGEST_INVALID). "
            "No change.",
        },
        (CLOUDFRONT,),
    ),
    Assumption(
        "early-answers",
        "What happens to the rest of a body which CloudFront's function answers before it is sent?",
        {
            "read-on": "Clients read the response, and show its advice.",
            "close": "podman and buildah may show a broken pipe in place of advice; Docker, skopeo and crane show it.",
        },
        (CLOUDFRONT,),
    ),
    Assumption(
        "conditional-copy",
        "Does S3 support CopyObject with If-None-Match?",
        {
            "supported": "No change.",
            "not-implemented": "The registry falls back to HEAD and an unconditional copy. No change.",
        },
        FRONTS,
    ),
)

BY_NAME = {assumption.name: assumption for assumption in ASSUMPTIONS}


def observable(front: str) -> list[Assumption]:
    """Those which a check can observe through `front`."""
    return [assumption for assumption in ASSUMPTIONS if front in assumption.fronts]
