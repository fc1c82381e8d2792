/** One line of NDJSON, with numbers and nested values as they are written: DuckDB and JSON.parse round long decimals. Pure. */

/** The values of an object's members as their own JSON text, or undefined when the line is not an object. */
export function rawMembers(line: string): ReadonlyMap<string, string> | undefined {
  // Checks the whole line, so that the scan below may trust it.
  const parsed: unknown = JSON.parse(line)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const members = new Map<string, string>()
  let at = skipSpace(line, line.indexOf('{') + 1)
  while (line[at] === '"') {
    const keyEnd = endOfString(line, at)
    const key = line.slice(at, keyEnd)
    const from = skipSpace(line, line.indexOf(':', keyEnd) + 1)
    const to = endOfValue(line, from)
    members.set(key.includes('\\') ? (JSON.parse(key) as string) : key.slice(1, -1), line.slice(from, to))
    at = skipSpace(line, to)
    if (line[at] === ',') at = skipSpace(line, at + 1)
  }
  return members
}

/** A string's text; anything else stays as it is written. */
export function textOf(raw: string): string {
  if (raw[0] !== '"') return raw
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
}

function skipSpace(line: string, from: number): number {
  let at = from
  while (line.charCodeAt(at) <= 32) at += 1
  return at
}

/** After the closing quote of the string that begins at `from`. */
function endOfString(line: string, from: number): number {
  for (let at = line.indexOf('"', from + 1); ; at = line.indexOf('"', at + 1)) {
    let slashes = 0
    while (line[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
}

function endOfValue(line: string, from: number): number {
  const first = line[from]
  if (first === '"') return endOfString(line, from)
  if (first !== '{' && first !== '[') {
    let at = from
    while (at < line.length && line[at] !== ',' && line[at] !== '}' && line.charCodeAt(at) > 32) at += 1
    return at
  }
  let depth = 0
  for (let at = from; ; at += 1) {
    const char = line[at]
    if (char === '"') at = endOfString(line, at) - 1
    else if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
}
