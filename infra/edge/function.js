// Berth's edge function: CloudFront Functions, runtime 2.0; what it does and why: docs/edge.md.
// template.yaml has a copy of this file (`make edge-function`), in which CloudFormation puts parameters for their names.
import cf from 'cloudfront';
import crypto from 'crypto';

const ROOT = '${RootDirectory}';
// The most bytes that S3 is sent in one request, and that the function is: 6 MB with all that Lambda adds (base64).
const LARGEST = Number('${EdgeLargest}');
const LAMBDA = 4194304;
const CHECKSUM = '${EdgeChecksum}' === 'true';

const UPLOAD = /^\/v2\/([a-z0-9][a-z0-9._\/-]{0,254})\/blobs\/uploads\/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const DIGEST = /^(sha256|sha512)(:|%3A)([0-9a-f]+)$/i;
const HEX = { sha256: 64, sha512: 128 };
const OTHERWISE = "push with Docker's containerd image store, with `berth push`, or through `berth gateway`";

// CloudFront gives these to the origin whatever a function says of them.
const FIXED = ['content-length', 'host', 'transfer-encoding', 'via'];

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

// The session and the content that a closing PUT names; nothing when it names none that may come this way.
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

// Whether the registry opened this session, and lately: `_edge` is <Unix seconds>.<HMAC-SHA256>.
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
    const checksum = CHECKSUM || value(headers['x-berth-probe']) === 'checksum';
    // S3 obeys headers and parameters (x-amz-copy-source, ?acl ..): it gets none that came from outside.
    Object.keys(headers).forEach((name) => {
        if (FIXED.indexOf(name) < 0) {
            delete headers[name];
        }
    });
    request.querystring = {};
    request.cookies = {};
    request.uri = '/' + ROOT + 'docker/registry/v2/repositories/' + session.name + '/_uploads/' + session.id +
        '/edge/' + session.algorithm + '/' + session.hex;
    // For viewer-response, should it see the request as it is from here on.
    headers['x-berth-commit'] = { value: commitUrl(session, state, size) };
    if (checksum && session.algorithm === 'sha256') {
        headers['x-amz-checksum-sha256'] = { value: Buffer.from(session.hex, 'hex').toString('base64') };
    }
    cf.selectRequestOriginById('bucket');
    return request;
}

function toRegistry(request, size, length) {
    const headers = request.headers;
    if (request.method === 'PATCH' && (!length || size > LAMBDA)) {
        const message = 'this registry does not take layers in the way this client sends them; ' + OTHERWISE;
        return refuse(405, 'UNSUPPORTED', message, { allow: 'GET, HEAD, PUT, DELETE' });
    }
    if (size > LAMBDA) {
        const upload = UPLOAD.test(request.uri) || /\/blobs\/uploads\/?$/.test(request.uri);
        const message = 'this registry takes up to ' + LAMBDA + ' bytes here';
        return refuse(413, 'SIZE_INVALID', upload ? message + '; ' + OTHERWISE : message);
    }
    delete headers['x-berth-commit'];
    headers['x-forwarded-host'] = { value: value(headers.host) };
    return request;
}

// 303 to where the content that S3 has taken is put in its place. PUT is answered by 200 by S3 alone.
function toCommit(request, response) {
    if (request.method !== 'PUT' || response.statusCode !== 200) {
        return response;
    }
    // The request as the viewer sent it, or as it was sent on: AWS does not say which.
    const session = closing(request);
    const url = session
        ? commitUrl(session, value(request.querystring._state), Number(value(request.headers['content-length'])))
        : value(request.headers['x-berth-commit']);
    if (url.indexOf('/v2/') === 0) {
        response.statusCode = 303;
        response.statusDescription = 'See Other';
        delete response.headers.etag;
        response.headers.location = { value: url };
        response.headers['cache-control'] = { value: 'no-store' };
        response.headers['docker-distribution-api-version'] = { value: 'registry/2.0' };
        response.headers['x-berth-saw'] = { value: session ? 'viewer' : 'origin' }; // for infra/edge/probe
    }
    return response;
}

async function handler(event) {
    const request = event.request;
    if (event.context.eventType === 'viewer-response') {
        return toCommit(request, event.response);
    }
    const length = value(request.headers['content-length']);
    const size = Number(length || 0);
    const session = closing(request);
    // What the function can take itself, it stores in one step instead of three.
    return session && size > LAMBDA ? toBucket(request, session, size) : toRegistry(request, size, length);
}
