// The built-in module `crypto`: hashes and HMAC by md5, sha1 and sha256.
const { native, binaryOf, decode, Buffer, bytesOf } = globalThis.$shared;

const bytesIn = (data, encoding) => {
  if (typeof data === 'string') return binaryOf(decode(data, encoding));
  if (data instanceof Uint8Array) return binaryOf(data);
  throw new TypeError('data is not a string or Buffer-like object');
};

class Hash {
  #hash;
  #data = '';
  #done = false;
  constructor(hash) { this.#hash = hash; }
  update(data, encoding) {
    if (this.#done) throw new Error('Digest already called');
    this.#data += bytesIn(data, encoding);
    return this;
  }
  digest(encoding) {
    if (this.#done) throw new Error('Digest already called');
    this.#done = true;
    const digest = Buffer.from(bytesOf(this.#hash(this.#data)).buffer);
    if (encoding === undefined) return digest;
    if (!['hex', 'base64', 'base64url'].includes(encoding)) throw new TypeError(`Unknown digest encoding: "${encoding}"`);
    return digest.toString(encoding);
  }
}

const known = (algorithm) => {
  if (!['md5', 'sha1', 'sha256'].includes(algorithm)) throw new TypeError(`not supported algorithm: "${algorithm}"`);
};

export function createHash(algorithm) {
  known(algorithm);
  return new Hash((data) => native.hash(algorithm, data));
}

export function createHmac(algorithm, key) {
  known(algorithm);
  const secret = bytesIn(key);
  return new Hash((data) => native.hmac(algorithm, secret, data));
}

export default { createHash, createHmac };
