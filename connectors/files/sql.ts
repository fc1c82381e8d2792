/** Text as an SQL string. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A path that DuckDB must not take for a glob, though its name may hold what looks like one. */
export function fileLiteral(path: string): string {
  return literal(path.replaceAll(/[*?[]/g, '[$&]'))
}

export function fileList(paths: readonly string[]): string {
  return `[${paths.map(fileLiteral).join(', ')}]`
}
