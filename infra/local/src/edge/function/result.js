// What the handler returned, with the fields of each object as a list: JSON objects lose their order on the way.
const listed = (fields) => {
  if (fields === undefined) return undefined;
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) return { wrong: true };
  return { fields: Object.keys(fields).map((name) => [name, fields[name] === undefined ? null : fields[name]]) };
};
export default function (result) {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return 'null';
  const plain = Object.assign({}, result);
  for (const name of ['headers', 'cookies', 'querystring']) if (name in plain) plain[name] = listed(plain[name]);
  return JSON.stringify(plain);
}
