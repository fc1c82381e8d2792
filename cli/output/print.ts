import type { Shell } from '../shell.ts'

export function printJson(shell: Pick<Shell, 'stdout'>, value: unknown): void {
  shell.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function printLines(shell: Pick<Shell, 'stdout'>, ...lines: readonly string[]): void {
  shell.stdout.write(`${lines.join('\n')}\n`)
}

export function note(shell: Pick<Shell, 'stderr'>, text: string): void {
  shell.stderr.write(`${text}\n`)
}

/** A table for people: no lines, so that it can be read, cut and pasted. */
export async function printTable(
  shell: Pick<Shell, 'stdout'>,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const { default: Table } = await import('cli-table3')
  const none = Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
      'right',
      'right-mid',
    ].map((part) => [part, '']),
  )
  const table = new Table({
    head: [...head],
    chars: { ...none, middle: '  ' },
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...rows.map((row) => [...row]))
  shell.stdout.write(`${trimLines(table.toString())}\n`)
}

/** Names and values, one a line. */
export function printFacts(shell: Pick<Shell, 'stdout'>, facts: readonly (readonly [string, string])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length))
  printLines(shell, ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()))
}

const trimLines = (text: string) => text.replace(/[ \t]+$/gm, '')
