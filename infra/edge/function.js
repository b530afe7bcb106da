// Berth's edge function: CloudFront Functions, runtime 2.0; what it does and why: docs/edge.md.
// `make edge-function` copies it into template.yaml, without comments; CloudFormation then puts its parameters into it.
import cf from 'cloudfront';
import crypto from 'crypto';

// Below it lie the uploads that the bucket takes.
const STAGES = '/${RootDirectory}docker/registry/v2/repositories/';
// The most bytes of a PUT to S3, and of a request to Lambda: 6 MB with all that Lambda adds (base64).
const LARGEST = Number('${LargestLayer}');
const LAMBDA = 4194304;
const DOMAIN = '${DomainName}';
const ANONYMOUS = '${Anonymous}' === 'true';

const PART = '[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*';
const NAME = new RegExp('^' + PART + '(?:/' + PART + ')*$');
const HEXES = 'sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}';
const ROUTE = new RegExp('^/v2/(.+)/(tags/list|blobs/uploads(?:/[^/%]*)?|(?:blobs|referrers)/(?:' + HEXES +
    ')|manifests/(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|' + HEXES + '))$');
const UPLOAD = /^\/v2\/([a-z0-9][a-z0-9._\/-]{0,254})\/blobs\/uploads\/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const DIGEST = /^(sha256|sha512)(:|%3A)([0-9a-f]+)$/i;
const HEX = { sha256: 64, sha512: 128 };
const ALTERNATIVES = "push with Docker's containerd image store, with `berth push`, or through `berth gateway`";

// Functions may not change these ("Restrictions on all edge functions").
const READ_ONLY = ['cdn-loop', 'content-length', 'host', 'transfer-encoding', 'via'];

function value(entry) {
    return entry ? entry.value : '';
}

function refuse(status, code, message, headers) {
    const answer = { 'content-type': { value: 'application/json' }, 'cache-control': { value: 'no-store' } };
    answer['docker-distribution-api-version'] = { value: 'registry/2.0' };
    Object.keys(headers || {}).forEach((name) => { answer[name] = { value: headers[name] }; });
    const error = { code: code, message: message };
    return { statusCode: status, headers: answer, body: JSON.stringify({ errors: [error] }) };
}

// The scope of the token that the registry asks for; null where the registry itself has to say.
function scope(request) {
    const method = request.method;
    const query = request.querystring;
    const reads = method === 'GET' || method === 'HEAD';
    if (!reads && ['POST', 'PUT', 'PATCH', 'DELETE'].indexOf(method) < 0) {
        return null;
    }
    if (request.uri === '/v2/' || request.uri === '/v2') {
        return '';
    }
    if (request.uri === '/v2/_catalog') {
        return 'registry:catalog:*';
    }
    const route = ROUTE.exec(request.uri);
    if (!route || route[1].length > 255 || !NAME.test(route[1])) {
        return null;
    }
    const uploads = route[2].indexOf('blobs/uploads') === 0;
    const deletes = method === 'DELETE' && !uploads && /^[bm]/.test(route[2]);
    const own = 'repository:' + route[1] + ':' + (deletes ? 'delete' : reads && !uploads ? 'pull' : 'pull,push');
    if (method !== 'POST' || !uploads || route[2].length > 14) {
        return own;
    }
    // Where a blob is to be mounted from, or may be found.
    if (request.headers['berth-blob-digest']) {
        return null;
    }
    if (!query.mount) {
        return own;
    }
    if (!query.from) {
        return own + ' registry:blob:pull';
    }
    const from = value(query.from).replace(/%2F/gi, '/');
    const plain = !query.from.multiValue && from !== route[1] && from.length < 256 && NAME.test(from);
    return plain ? own + ' repository:' + from + ':pull' : null;
}

// The registry's answer to a request without credentials, which spares an invocation; null where the registry itself has to say.
function challenge(request) {
    const host = DOMAIN || value(request.headers.host);
    // An emulated CloudFront speaks HTTP.
    const local = !DOMAIN && /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host);
    if (ANONYMOUS || request.headers.authorization || !/^\/v2(\/|$)/.test(request.uri) || !local && !/^[\w.-]+$/.test(host)) {
        return null;
    }
    const wanted = scope(request);
    return wanted === null ? null : refuse(401, 'UNAUTHORIZED', 'log in first: this is not for everybody', {
        'www-authenticate': 'Bearer realm="' + (local ? 'http://' : 'https://') + host + '/token",service="' + host.toLowerCase() +
            '"' + (wanted && ',scope="' + wanted + '"'),
    });
}

// The session and the content that a closing PUT names; null when it names none that may go to the bucket.
function closing(request) {
    const path = request.method === 'PUT' && UPLOAD.exec(request.uri);
    const query = request.querystring;
    if (!path || !query._edge || path[1].indexOf('..') >= 0 || path[1].indexOf('//') >= 0) {
        return null;
    }
    const digest = DIGEST.exec(value(query.digest));
    const algorithm = digest ? digest[1].toLowerCase() : '';
    const named = digest && digest[3].length === HEX[algorithm] && digest[3] === digest[3].toLowerCase();
    return { name: path[1], id: path[2], algorithm: algorithm, hex: named ? digest[3] : '' };
}

function same(a, b) {
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) {
        difference |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
    }
    return difference === 0;
}

// Whether the registry opened this session within the last hour: `_edge` is <Unix seconds>.<HMAC-SHA256>.
async function opened(session, ticket) {
    const parts = /^([0-9]{1,12})\.([A-Za-z0-9_-]{43})$/.exec(ticket);
    if (!parts || Number(parts[1]) * 1000 < Date.now()) {
        return false;
    }
    const message = ['berth-edge-1', session.name, session.id, parts[1]].join('\n');
    const keys = (await cf.kvs().get('upload-keys')).split(',');
    return keys.some((key) => same(crypto.createHmac('sha256', key).update(message).digest('base64url'), parts[2]));
}

function commitUrl(session, state, size) {
    return '/v2/' + session.name + '/blobs/uploads/' + session.id + '?_state=' + state +
        '&digest=' + session.algorithm + ':' + session.hex + '&size=' + size + '&commit=edge';
}

async function toBucket(request, session, size) {
    const headers = request.headers;
    const range = value(headers['content-range']).replace(/^bytes[ =]/, '');
    const state = value(request.querystring._state);
    if (!session.hex) {
        return refuse(400, 'DIGEST_INVALID', 'digest= must be sha256: or sha512: and the digest in hexadecimal digits');
    }
    if (size > LARGEST) {
        const message = 'this registry takes up to ' + LARGEST + ' bytes in one request; use `berth push`, which sends parts';
        return refuse(413, 'SIZE_INVALID', message);
    }
    if (range && range.split('/')[0] !== '0-' + (size - 1)) {
        return refuse(416, 'RANGE_INVALID', 'nothing of this upload is stored yet; send it from its first byte');
    }
    let known;
    try {
        known = await opened(session, value(request.querystring._edge));
    } catch (error) {
        console.log('upload-keys: ' + error);
        return refuse(503, 'UNAVAILABLE', 'the registry cannot check this upload now; try again', { 'retry-after': '5' });
    }
    if (!known || !/^[A-Za-z0-9._-]+$/.test(state)) {
        return refuse(404, 'BLOB_UPLOAD_INVALID', 'this upload is not one of this registry, or is too old; begin another');
    }
    // S3 obeys headers and parameters (x-amz-copy-source, ?acl ..): it gets none that came from outside.
    Object.keys(headers).forEach((name) => {
        if (READ_ONLY.indexOf(name) < 0) {
            delete headers[name];
        }
    });
    request.querystring = {};
    request.cookies = {};
    request.uri = STAGES + session.name + '/_uploads/' + session.id + '/edge/' + session.algorithm + '/' + session.hex;
    // For viewer-response, should it see the request as it is from here on.
    headers['x-berth-commit'] = { value: commitUrl(session, state, size) };
    // S3 refuses other content; CloudFront signs this header as it is.
    headers['x-amz-content-sha256'] = { value: session.algorithm === 'sha256' ? session.hex : 'UNSIGNED-PAYLOAD' };
    cf.selectRequestOriginById('bucket');
    return request;
}

function toRegistry(request, size) {
    const headers = request.headers;
    if (size > LAMBDA && request.method === 'PATCH') {
        const message = 'this registry does not take layers in the way this client sends them; ' + ALTERNATIVES;
        return refuse(405, 'UNSUPPORTED', message, { allow: 'GET, HEAD, PUT, DELETE' });
    }
    if (size > LAMBDA) {
        const upload = UPLOAD.test(request.uri) || /\/blobs\/uploads\/?$/.test(request.uri);
        const message = 'this registry takes up to ' + LAMBDA + ' bytes here';
        return refuse(413, 'SIZE_INVALID', upload ? message + '; ' + ALTERNATIVES : message);
    }
    Object.keys(headers).forEach((name) => {
        if (name.indexOf('x-berth-') === 0) {
            delete headers[name];
        }
    });
    headers['x-forwarded-host'] = { value: value(headers.host) };
    return request;
}

// S3's 200 to a PUT becomes 303 to the commit of what it has stored.
function fromBucket(response, url, saw) {
    if (response.statusCode === 200 && url.indexOf('/v2/') === 0) {
        response.statusCode = 303;
        response.statusDescription = 'See Other';
        delete response.headers.etag;
        response.headers.location = { value: url };
        response.headers['cache-control'] = { value: 'no-store' };
        response.headers['docker-distribution-api-version'] = { value: 'registry/2.0' };
        // For infra/verify-on-aws.
        response.headers['x-berth-saw'] = { value: saw };
    }
    return response;
}

// Restores what the function URL would have renamed.
function fromRegistry(request, response) {
    const headers = response.headers;
    const carried = (name) => {
        const entry = headers['x-berth-' + name];
        delete headers['x-berth-' + name];
        return entry;
    };
    const status = carried('status');
    const asked = carried('challenge');
    const range = carried('range');
    const length = carried('length');
    if (response.statusCode === 300 && value(status) === '401' && asked) {
        response.statusCode = 401;
        response.statusDescription = 'Unauthorized';
        headers['www-authenticate'] = asked;
    }
    if (range) {
        headers.range = range;
    }
    if (length && request.method === 'HEAD' && value(headers['content-length']) !== length.value) {
        headers['content-length'] = length;
    }
    return response;
}

async function handler(event) {
    const request = event.request;
    const session = closing(request);
    const size = Number(value(request.headers['content-length']) || 0);
    // What the function can take itself, it stores in one step instead of three.
    const stages = session && size > LAMBDA;
    if (event.context.eventType !== 'viewer-response') {
        return stages ? toBucket(request, session, size) : challenge(request) || toRegistry(request, size);
    }
    // The request as the viewer sent it, or as it was sent on: AWS does not say which.
    if (stages) {
        return fromBucket(event.response, commitUrl(session, value(request.querystring._state), size), 'viewer');
    }
    if (request.method === 'PUT' && request.uri.indexOf(STAGES) === 0) {
        return fromBucket(event.response, value(request.headers['x-berth-commit']), 'origin');
    }
    return fromRegistry(request, event.response);
}
