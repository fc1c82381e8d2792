import { join } from 'node:path'
import type { Random } from '@postern/base/random.ts'
import { z } from 'zod'
import { readWhole, writeWhole } from '../state/files.ts'

export const CONSOLE_FILE = 'console.json'

/** In the data folder, for its owner only: where the console is, and what passes to it are made with. Deleting it ends every session at the next start. */
const ConsoleFile = z.object({ format: z.literal(1), port: z.int().min(0).max(65_535), secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/) })
export type ConsoleFile = z.infer<typeof ConsoleFile>

/** Undefined when there is none that can be read. */
export async function readConsoleFile(data: string): Promise<ConsoleFile | undefined> {
  const text = await readWhole(join(data, CONSOLE_FILE))
  try {
    return text === undefined ? undefined : ConsoleFile.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** The secret stays over restarts, and with it the sessions of open pages. */
export async function loadConsoleFile(data: string, random: Random): Promise<ConsoleFile> {
  return (await readConsoleFile(data)) ?? { format: 1, port: 0, secret: Buffer.from(random.bytes(32)).toString('base64url') }
}

export async function writeConsoleFile(data: string, file: ConsoleFile): Promise<void> {
  await writeWhole(join(data, CONSOLE_FILE), `${JSON.stringify(file)}\n`)
}
