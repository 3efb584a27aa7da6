/** The server's rule: 8 to 64 ASCII characters, at least two of letters, digits and others. */
export function isStrongPassword(text: string): boolean {
  if (text.length < 8 || text.length > 64 || !/^[\x20-\x7e]*$/.test(text)) return false;
  const kinds = [/[A-Za-z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text));
  return kinds.length >= 2;
}
