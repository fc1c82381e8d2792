/** Rows of the text encodings taken apart: for the few that are looked at one by one. Pure. */
import type { Encoding } from '../copy-contract.ts'

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The cells of one row, without its line's end; null is NULL. Undefined: it is no text of the encoding. */
export function cellsOf(row: Buffer, encoding: Encoding): readonly (string | null)[] | undefined {
  let text: string
  try {
    text = UTF8.decode(row)
  } catch {
    return undefined
  }
  if (encoding === 'pg-text') return text.split('\t').map(unescaped)
  return encoding === 'csv' || encoding === 'csv-raw' ? csvCells(text) : undefined
}

const LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function unescaped(cell: string): string | null {
  if (cell === '\\N') return null
  return cell.includes('\\') ? cell.replaceAll(/\\(.)/gs, (_, letter: string) => LETTERS[letter] ?? letter) : cell
}

function csvCells(text: string): readonly (string | null)[] | undefined {
  const cells: (string | null)[] = []
  for (let at = 0; ; ) {
    const quoted = text[at] === '"'
    let end = at
    if (quoted) {
      do {
        end = text.indexOf('"', end + 1)
        if (end < 0) return undefined
        if (text[end + 1] === '"') end += 1
        else break
      } while (end < text.length)
      cells.push(text.slice(at + 1, end).replaceAll('""', '"'))
      end += 1
    } else {
      end = text.indexOf(',', at)
      if (end < 0) end = text.length
      cells.push(end === at ? null : text.slice(at, end))
    }
    if (end >= text.length) return cells
    if (text[end] !== ',') return undefined
    at = end + 1
  }
}
