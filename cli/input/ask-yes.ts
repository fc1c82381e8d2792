import { createInterface } from 'node:readline/promises'
import type { Shell } from '../shell.ts'

/** False when nobody can be asked: a script must say it by a flag. */
export async function askYes(question: string, { stdin, stderr, signal }: Pick<Shell, 'stdin' | 'stderr' | 'signal'>): Promise<boolean> {
  if (!stdin.isTTY) return false
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim())
  } finally {
    lines.close()
  }
}
