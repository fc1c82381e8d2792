import { matchesGlob } from 'node:path/posix'

export interface GlobPattern {
  /** What every match begins with: keys are listed from there. */
  readonly prefix: string
  matches(path: string): boolean
}

/** A pattern as for files: "*" and "?" within a step, "**" over steps, "[…]", "{a,b}". */
export function globPattern(pattern: string): GlobPattern {
  const wild = pattern.search(/[*?[{\\]/)
  const prefix = wild < 0 ? pattern : pattern.slice(0, wild)
  return { prefix, matches: (path) => matchesGlob(path, pattern) }
}
