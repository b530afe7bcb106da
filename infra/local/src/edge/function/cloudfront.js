// The built-in module `cloudfront`: "Helper methods for key value stores" and "Helper methods for origin modification".
const { native, Buffer, bytesOf, decode } = globalThis.$shared;

const formatted = (value, format) => {
  if (format === undefined || format === 'string') return value;
  if (format === 'json') return JSON.parse(value);
  if (format === 'bytes') return Buffer.from(decode(value).buffer);
  throw new TypeError(`format "${format}" is not supported`);
};

class KeyValueStore {
  async get(key, options) {
    const value = native.get(String(key));
    if (value === undefined) throw new Error('KeyNotFound');
    return formatted(value, options === undefined ? undefined : options.format);
  }
  async exists(key) { return native.get(String(key)) !== undefined; }
  async meta() {
    return { creationDateTime: '2026-01-01T00:00:00.000Z', lastUpdatedDateTime: '2026-01-01T00:00:00.000Z', keyCount: native.count() };
  }
}

export function kvs() {
  if (native.count() === undefined) throw new Error('no key value store is associated with the function');
  return new KeyValueStore();
}

export function selectRequestOriginById(id, overrides) {
  if (overrides !== undefined) throw new Error('overrides of selectRequestOriginById are not emulated');
  const refused = native.select(String(id));
  if (refused !== undefined) throw new Error(refused);
}

const absent = (name) => () => { throw new Error(`${name} is not emulated`); };
export const updateRequestOrigin = absent('updateRequestOrigin');
export const createRequestOriginGroup = absent('createRequestOriginGroup');

export default { kvs, selectRequestOriginById, updateRequestOrigin, createRequestOriginGroup };
