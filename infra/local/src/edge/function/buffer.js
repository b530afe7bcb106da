// The built-in module `buffer`.
export const Buffer = globalThis.Buffer;
export default { Buffer };
