/** "https://host/mqtt/#/clients" -> "/mqtt"; "" where the pages are at the root. */
export const rootOf = (href: string): string => new URL(".", href).pathname.replace(/\/$/, "");
