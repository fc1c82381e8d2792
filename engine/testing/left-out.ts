/** Runs that leave rows out, what they wrote of them, and a file with lines that nobody can read. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Run } from './rig.ts'

/** What is left out goes to `rejects.ndjson/` of the store `lake`. */
export function leavingOut(copy: ConstructorParameters<typeof Run>[0], limit = 100): Run {
  return new Run({ skipIncompatibleRows: { limit, rejects: { store: 'lake', path: 'rejects.ndjson' } }, ...copy })
}

interface Reject {
  readonly part: string
  readonly row: number
  readonly column: string | null
  readonly error: string
  readonly data: string
}

/** As they lie in the folder of `lake`, by their places. */
export async function rejected(lake: string, run: Run): Promise<Reject[]> {
  const path = join(lake, 'rejects.ndjson', `${run.id}.ndjson`)
  const names = (await readdir(path)).filter((name) => name.startsWith('part-'))
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')))
  const lines = texts.flatMap((text) => text.trimEnd().split('\n'))
  return lines.map((line) => JSON.parse(line) as Reject).toSorted((a, b) => a.row - b.row)
}

/** Rows 2, 4, 5, 7 and 9 are no rows; row 8 is one of text. */
export const BROKEN_CSV = [
  'id,name,amount',
  '1,plain,10',
  '2,too few',
  '3,"quoted, and',
  'of two lines",30',
  '4,too,many,values',
  '5,"ends" early,50',
  '6,"""",60',
  '7,stray " quote,70',
  '8,not a number,eighty',
  '9,"no end,90',
  '10,last,100',
  '',
].join('\n')
