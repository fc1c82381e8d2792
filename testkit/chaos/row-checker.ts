/** Says what a copy lost, doubled or changed. Knows rows as texts and nothing of Postern. */

/** Each row as the texts of its cells, joined; the key is what comes before the first separator. */
export type Rows = readonly string[]
export const CELL = '\u0001'
export const NULL = '∅'

export interface RowReport {
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly changed: readonly string[]
  readonly foreign: readonly string[]
}

/** By key: rows that are missing, there twice, there with other values, or there though nobody copied them. */
export function compareRows(expected: Rows, found: Rows): RowReport {
  const wanted = new Map(expected.map((row) => [keyOf(row), row]))
  const seen = new Map<string, number>()
  const report = { lost: [] as string[], doubled: [] as string[], changed: [] as string[], foreign: [] as string[] }
  for (const row of found) {
    const key = keyOf(row)
    const times = (seen.get(key) ?? 0) + 1
    seen.set(key, times)
    const want = wanted.get(key)
    if (want === undefined) report.foreign.push(key)
    else if (times === 2) report.doubled.push(key)
    if (want !== undefined && want !== row) report.changed.push(key)
  }
  for (const key of wanted.keys()) if (!seen.has(key)) report.lost.push(key)
  return report
}

export const NOTHING_WRONG: RowReport = { lost: [], doubled: [], changed: [], foreign: [] }

function keyOf(row: string): string {
  const end = row.indexOf(CELL)
  return end < 0 ? row : row.slice(0, end)
}
