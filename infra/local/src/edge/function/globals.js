// What functions find without an import, beyond the language ("JavaScript runtime 2.0 features for CloudFront Functions"):
// Buffer and console. Run once before the modules; `native` is the host's.
const native = globalThis.$native;
delete globalThis.$native;

const bytesOf = (binary) => {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
};
const binaryOf = (bytes) => {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 4096) binary += String.fromCharCode.apply(null, bytes.subarray(i, i + 4096));
  return binary;
};
const decode = (text, encoding) => {
  const name = encoding === undefined ? 'utf8' : String(encoding);
  const binary = native.decode(text, name);
  if (binary === undefined) throw new TypeError(`"${name}" encoding is not supported`);
  return bytesOf(binary);
};

class Buffer extends Uint8Array {
  static from(value, encoding, length) {
    if (typeof value === 'string') return new Buffer(decode(value, encoding).buffer);
    if (value instanceof ArrayBuffer) return new Buffer(value, encoding, length);
    if (value !== null && typeof value === 'object' && typeof value.length === 'number') {
      const buffer = new Buffer(value.length);
      for (let i = 0; i < value.length; i++) buffer[i] = value[i];
      return buffer;
    }
    throw new TypeError('first argument is not a string or Buffer-like object');
  }
  static alloc(size, fill, encoding) {
    const buffer = new Buffer(size);
    return fill === undefined ? buffer : buffer.fill(fill, 0, size, encoding);
  }
  static allocUnsafe(size) { return new Buffer(size); }
  static isBuffer(value) { return value instanceof Buffer; }
  static byteLength(value, encoding) { return typeof value === 'string' ? decode(value, encoding).length : value.byteLength; }
  static isEncoding(encoding) { return ['utf8', 'utf-8', 'hex', 'base64', 'base64url'].includes(String(encoding)); }
  static compare(one, other) {
    for (let i = 0; i < Math.min(one.length, other.length); i++) if (one[i] !== other[i]) return one[i] < other[i] ? -1 : 1;
    return one.length === other.length ? 0 : one.length < other.length ? -1 : 1;
  }
  static concat(list, total) {
    const whole = new Buffer(total === undefined ? list.reduce((sum, part) => sum + part.length, 0) : total);
    let at = 0;
    for (const part of list) {
      for (let i = 0; i < part.length && at < whole.length; i++) whole[at++] = part[i];
    }
    return whole;
  }
  compare(other) { return Buffer.compare(this, other); }
  equals(other) { return Buffer.compare(this, other) === 0; }
  fill(value, start, end, encoding) {
    if (typeof value !== 'string') return super.fill(value, start, end);
    const bytes = decode(value, encoding);
    for (let i = start || 0, n = 0; i < (end === undefined ? this.length : end) && bytes.length; i++) this[i] = bytes[n++ % bytes.length];
    return this;
  }
  slice(start, end) { return this.subarray(start, end); }
  write(text, offset) {
    const bytes = decode(text);
    const at = offset || 0;
    const length = Math.min(bytes.length, this.length - at);
    for (let i = 0; i < length; i++) this[at + i] = bytes[i];
    return length;
  }
  toString(encoding, start, end) {
    const name = encoding === undefined ? 'utf8' : String(encoding);
    const text = native.encode(binaryOf(this.subarray(start || 0, end)), name);
    if (text === undefined) throw new TypeError(`"${name}" encoding is not supported`);
    return text;
  }
  toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
}

const shown = (value) => {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return String(value);
  const json = typeof value === 'object' ? JSON.stringify(value) : undefined;
  return json === undefined ? String(value) : json;
};
const say = (...values) => native.log(values.map(shown).join(' '));
const hidden = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
hidden('Buffer', Buffer);
hidden('console', { log: say, error: say, warn: say, info: say, debug: say });

if (native.now !== undefined) {
  const now = native.now;
  hidden('Date', class extends Date {
    constructor(...given) { super(...(given.length ? given : [now])); }
    static now() { return now; }
  });
}

// "Restricted features": no code from text, no timers.
const refuse = (what) => { throw new TypeError(`${what} is not supported: dynamic code evaluation`); };
const samples = [function () {}, async function () {}, function* () {}, async function* () {}];
for (const sample of samples) {
  const constructor = function () { refuse('Function constructor'); };
  constructor.prototype = Object.getPrototypeOf(sample);
  Object.defineProperty(constructor.prototype, 'constructor', { value: constructor });
}
hidden('Function', (function () {}).constructor);
hidden('eval', function () { refuse('eval'); });
for (const absent of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'XMLHttpRequest', 'require']) delete globalThis[absent];

globalThis.$shared = { native, bytesOf, binaryOf, decode, Buffer };
