/** Which statements may run as a read: pure. */

const READS: ReadonlySet<string> = new Set(['select', 'with', 'values', 'table', 'show', 'explain', 'describe', 'desc', 'analyze'])

/**
 * Whether the statement can only read. A transaction that only reads keeps the rest out, but not what ends it: CALL, SET, COMMIT, blocks.
 * So these words are a list of what may begin a read, not of what may not.
 */
export function startsAsRead(sql: string): boolean {
  const word = firstWord(sql)
  return word !== undefined && READS.has(word)
}

/** After spaces, comments and brackets; undefined where a comment is one that the server executes. */
function firstWord(sql: string): string | undefined {
  let rest = sql
  for (;;) {
    rest = rest.replace(/^[\s(;]+/, '')
    if (/^\/\*M?!/i.test(rest)) return undefined
    const comment = /^(?:--(?=\s|$)[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)/.exec(rest)
    if (!comment) return /^[a-z]+/i.exec(rest)?.[0].toLowerCase()
    rest = rest.slice(comment[0].length)
  }
}

/** SELECT … INTO OUTFILE writes a file beside the database, and no transaction keeps that from happening. */
export function writesFile(sql: string): boolean {
  return /\binto\s+(?:outfile|dumpfile)\b/i.test(sql.replaceAll(/\/\*(?!M?!)[\s\S]*?\*\//gi, ' '))
}
