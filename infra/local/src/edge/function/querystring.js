// The built-in module `querystring`.
export function escape(text) { return encodeURIComponent(text); }
export function unescape(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
export function parse(text, separator, equals, options) {
  const parsed = {};
  const decoded = (options && options.decodeURIComponent) || unescape;
  const pairs = String(text).split(separator || '&');
  const most = options && options.maxKeys !== undefined ? options.maxKeys : 1000;
  for (const pair of most > 0 ? pairs.slice(0, most) : pairs) {
    if (pair === '') continue;
    const at = pair.indexOf(equals || '=');
    const name = decoded((at < 0 ? pair : pair.slice(0, at)).replace(/\+/g, ' '));
    const value = at < 0 ? '' : decoded(pair.slice(at + (equals || '=').length).replace(/\+/g, ' '));
    if (!Object.prototype.hasOwnProperty.call(parsed, name)) parsed[name] = value;
    else if (Array.isArray(parsed[name])) parsed[name].push(value);
    else parsed[name] = [parsed[name], value];
  }
  return parsed;
}
export function stringify(object, separator, equals, options) {
  const encoded = (options && options.encodeURIComponent) || escape;
  const pairs = [];
  for (const name of Object.keys(object)) {
    for (const value of [].concat(object[name])) pairs.push(encoded(name) + (equals || '=') + encoded(String(value)));
  }
  return pairs.join(separator || '&');
}
export const decode = parse;
export const encode = stringify;
export default { parse, stringify, decode, encode, escape, unescape };
